/** The kind of an error, for logs that must not contain its message, which may quote secrets. */

/** Matches names, tags and codes, which are short and have no spaces, unlike messages. */
const NAME = /^[A-Za-z_$][\w$./-]{0,63}$/

const isName = (value: unknown): value is string => typeof value === "string" && NAME.test(value)

/**
 * The tag or name of an error with its code, if it has one: `DbError`, `Error ENOSPC`. For other values, only the
 * type, such as `string`.
 */
export const kindOf = (error: unknown): string => {
  try {
    return typeof error !== "object" || error === null ? typeof error : kindOfObject(error)
  } catch {
    // Inspecting the value has thrown.
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
