/** What kind of error it is, for a log that must not have its words: they may quote what is secret. */

/** Names, tags and codes have no more in them; anything else may be words. */
const NAME = /^[A-Za-z_$][\w$./-]{0,63}$/

const isName = (value: unknown): value is string => typeof value === "string" && NAME.test(value)

/**
 * Its tag or name, with its code where it has one: `DbError`, `Error ENOSPC`. Of what is no error only its type, as `string`.
 */
export const kindOf = (error: unknown): string => {
  try {
    return typeof error !== "object" || error === null ? typeof error : kindOfObject(error)
  } catch {
    // What throws when it is looked at.
    return typeof error
  }
}

const kindOfObject = (error: object): string => {
  const { _tag: tag, code, name } = error as {
    readonly _tag?: unknown
    readonly code?: unknown
    readonly name?: unknown
  }
  const kind = isName(tag) ? tag : isName(name) ? name : error instanceof Error ? "Error" : typeof error
  return isName(code) ? `${kind} ${code}` : kind
}
