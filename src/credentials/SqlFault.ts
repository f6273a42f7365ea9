/** What a database has against a question, in words. Drivers put statements, hosts and users into theirs: they are not told. */
import { wordsOf } from "../net/ErrorCode.ts"

/** The code of a driver's error, in its cause or the cause of that, and what it says. */
interface Told {
  readonly code: string
  readonly message: string
}

export class SqlFault {
  readonly words: string
  /** Another try is of no use before somebody changes the configuration or the database. */
  readonly lasting: boolean

  constructor(words: string, lasting = false) {
    this.words = words
    this.lasting = lasting
  }
}

/** Depth to which causes are followed. */
const DEPTH = 5

const toldBy = (error: unknown): Told | undefined => {
  let one = error
  for (let depth = 0; depth < DEPTH && typeof one === "object" && one !== null; depth++) {
    const { cause, code, errcode, message, reason } = one as Readonly<Record<string, unknown>>
    // SQLite's own codes are numbers.
    const known = typeof errcode === "number" ? `SQLITE_${errcode & 0xff}` : code
    if (typeof known === "string") return { code: known, message: typeof message === "string" ? message : "" }
    one = reason ?? cause
  }
  return undefined
}

const PASSWORD = "the user name or password is wrong"
const DATABASE = "there is no such database"
const TABLE = "there is no such table"
const COLUMN = "there is no such column"
const RIGHTS = "the user may not read the table"

/** Of PostgreSQL, MySQL and SQLite. */
const lasting = new Map([
  ["28P01", PASSWORD],
  ["28000", "the user may not log in"],
  ["3D000", DATABASE],
  ["3F000", TABLE],
  ["42P01", TABLE],
  ["42703", COLUMN],
  ["42501", RIGHTS],
  ["ER_ACCESS_DENIED_ERROR", PASSWORD],
  ["ER_DBACCESS_DENIED_ERROR", "there is no such database, or the user may not use it"],
  ["ER_BAD_DB_ERROR", DATABASE],
  ["ER_NO_DB_ERROR", "the URL names no database"],
  ["ER_NO_SUCH_TABLE", TABLE],
  ["ER_BAD_FIELD_ERROR", COLUMN],
  ["ER_TABLEACCESS_DENIED_ERROR", RIGHTS],
  ["ER_COLUMNACCESS_DENIED_ERROR", RIGHTS],
  ["SQLITE_26", "the file is no SQLite database"]
])

const passing = new Map([
  ["SQLITE_5", "it is locked"],
  ["SQLITE_14", "the file cannot be opened: it is not there, or may not be read by this user"],
  ["SQLITE_10", "the file cannot be read"],
  ["53300", "it has no connections left"],
  ["57P03", "it is starting"],
  ["ER_CON_COUNT_ERROR", "it has no connections left"]
])

/** `names` are those of the table and its columns; which of them is meant is told. */
export const faultOf = (error: unknown, names: ReadonlyArray<string>): SqlFault => {
  const told = toldBy(error)
  if (told === undefined) {
    const tag = (error as { readonly reason?: { readonly _tag?: unknown } } | undefined)?.reason?._tag
    return tag === "AuthenticationError"
      ? new SqlFault(PASSWORD, true)
      : new SqlFault(tag === "ConnectionError" ? "no connection" : "failed")
  }
  const { code, message } = told
  if (code === "SQLITE_1") {
    const kind = /^no such (table|column)/.exec(message)?.[1]
    if (kind !== undefined) return new SqlFault(`there is no such ${kind}${which(message, names)}`, true)
  }
  const words = lasting.get(code)
  if (words === TABLE || words === COLUMN) return new SqlFault(words + which(message, names), true)
  if (words !== undefined) return new SqlFault(words, true)
  return new SqlFault(passing.get(code) ?? wordsOf(Object.assign(new Error(code), { code })))
}

/** The longest of the names that is in the message: one may be part of another. */
const which = (message: string, names: ReadonlyArray<string>): string => {
  const named = names.flatMap((name) => [name, name.split(".").at(-1)!])
    .filter((name) => new RegExp(`(?<!\\w)${name}(?!\\w)`, "i").test(message))
    .toSorted((a, b) => b.length - a.length)
  return named[0] === undefined ? "" : `: ${named[0]}`
}
