/** Why a database refuses a query, in words of our own: messages of drivers contain statements, hosts and users. */
import { causesOf, wordsOfCode } from "../net/ServerFault.ts"

/** The code and the message of a driver's error, or of one of its causes. */
interface DriverError {
  readonly code: string
  readonly message: string
}

export class SqlFault {
  readonly words: string
  /** Whether trying again is useless before the configuration or the database is changed. */
  readonly lasting: boolean

  constructor(words: string, lasting = false) {
    this.words = words
    this.lasting = lasting
  }
}

/** SQLITE_IOERR_WRITE, _FSYNC, _SHMOPEN, _SHMSIZE and _SHMMAP: the codes for a journal without room, instead of SQLITE_FULL. */
const UNWRITTEN = new Set([778, 1034, 4618, 4874, 5386])

/** SQLite's codes are numbers whose low octet is the kind of error. */
const codeOfSqlite = (errcode: number): string => `SQLITE_${UNWRITTEN.has(errcode) ? errcode : errcode & 0xff}`

const driverErrorOf = (error: unknown): DriverError | undefined => {
  for (const { code, errcode, message } of causesOf(error)) {
    const known = typeof errcode === "number" ? codeOfSqlite(errcode) : code
    if (typeof known === "string") return { code: known, message: typeof message === "string" ? message : "" }
  }
  return undefined
}

/**
 * Codes for a user name that the column cannot contain: it has a character unknown to the database (PostgreSQL) or the table
 * (MySQL), or is not a number in a column of numbers. There is no such user then.
 */
const UNWRITABLE = new Set([
  "22P02",
  "22P05",
  "22003",
  "22021",
  "ER_CANT_AGGREGATE_2COLLATIONS",
  "ER_CANNOT_CONVERT_STRING"
])

export const isUnwritable = (error: unknown): boolean => UNWRITABLE.has(driverErrorOf(error)?.code ?? "")

const PASSWORD = "the user name or password is wrong"
const DATABASE = "there is no such database"
const TABLE = "there is no such table"
const COLUMN = "there is no such column"
const RIGHTS = "the user may not read the table"
const TYPE = "a column has another type than text"
const NO_TLS = "it does not speak TLS, which the URL asks for"
const LOGIN = "the user may not log in"
const EXPIRED = "the password has expired"
const FULL = "it has no connections left"

/** The fault of a column, given by its name, whose type is unsuitable. */
export const wrongType = (column: string): SqlFault => new SqlFault(`${TYPE}: ${column}`, true)

/** Codes of PostgreSQL, MySQL and SQLite for faults that last. */
const lasting = new Map([
  ["28P01", PASSWORD],
  ["28000", LOGIN],
  ["3D000", DATABASE],
  ["3F000", TABLE],
  ["42P01", TABLE],
  ["42703", COLUMN],
  ["42501", RIGHTS],
  ["42804", TYPE],
  ["42883", TYPE],
  ["22007", TYPE],
  ["ER_WRONG_VALUE", TYPE],
  ["ER_ACCESS_DENIED_ERROR", PASSWORD],
  ["ER_ACCESS_DENIED_NO_PASSWORD_ERROR", LOGIN],
  ["ER_DBACCESS_DENIED_ERROR", "there is no such database, or the user may not use it"],
  ["ER_BAD_DB_ERROR", DATABASE],
  ["ER_NO_DB_ERROR", "the URL names no database"],
  ["ER_NO_SUCH_TABLE", TABLE],
  ["ER_BAD_FIELD_ERROR", COLUMN],
  ["ER_TABLEACCESS_DENIED_ERROR", RIGHTS],
  ["ER_COLUMNACCESS_DENIED_ERROR", RIGHTS],
  ["ER_VIEW_INVALID", "the view uses a table or column that does not exist"],
  ["ER_HOST_NOT_PRIVILEGED", "nobody may log in from this machine"],
  ["ER_ACCOUNT_HAS_BEEN_LOCKED", LOGIN],
  // The driver's name, which is that of MySQL, for the number of the same in MariaDB.
  ["ER_BULK_PARSER_INCOMPLETE_ESCAPE_SEQUENCE", LOGIN],
  ["ER_MUST_CHANGE_PASSWORD", EXPIRED],
  ["ER_MUST_CHANGE_PASSWORD_LOGIN", EXPIRED],
  ["HANDSHAKE_NO_SSL_SUPPORT", NO_TLS],
  ["SQLITE_11", "the file is damaged"],
  ["SQLITE_26", "the file is not an SQLite database"]
])

const LOCKED = "it is locked"
const NO_ROOM = "its journal cannot be written: its disk is full, or fails"

/** Codes for faults that may pass by themselves. */
const passing = new Map([
  ["SQLITE_5", LOCKED],
  ["SQLITE_6", LOCKED],
  ["SQLITE_15", LOCKED],
  ["SQLITE_8", "its journal cannot be written: this user may not write in its folder"],
  ["SQLITE_13", "its disk is full"],
  ["SQLITE_14", "the file cannot be opened: it is not there, or may not be read by this user"],
  ["SQLITE_3", "the file may not be read by this user"],
  ["SQLITE_10", "the file cannot be read"],
  ...Array.from(UNWRITTEN, (errcode) => [`SQLITE_${errcode}`, NO_ROOM] as const),
  ["53300", FULL],
  ["57014", "it has cancelled the query"],
  ["57P01", "it is stopping"],
  ["57P03", "it is starting"],
  ["ER_CON_COUNT_ERROR", FULL],
  ["ER_TOO_MANY_USER_CONNECTIONS", FULL],
  ["ER_USER_LIMIT_REACHED", FULL],
  ["ER_SERVER_SHUTDOWN", "it is stopping"],
  ["ER_HOST_IS_BLOCKED", "it has blocked this machine"],
  ["HANDSHAKE_SSL_ERROR", "its certificate is not accepted"]
])

/** Errors for which the driver of PostgreSQL has no code. */
const uncoded: ReadonlyArray<readonly [start: string, fault: SqlFault]> = [
  ["PgConnection: Server refused TLS", new SqlFault(NO_TLS, true)],
  ["PgConnection: Unrecognized sslmode", new SqlFault("the URL has an sslmode that is not known", true)]
]

/** Translates a driver's error. `names` are those of the table and its columns; the one in question is added to the words. */
export const faultOf = (error: unknown, names: ReadonlyArray<string>): SqlFault => {
  const known = driverErrorOf(error)
  if (known === undefined) {
    for (const { message } of causesOf(error)) {
      const match = uncoded.find(([start]) => typeof message === "string" && message.startsWith(start))
      if (match !== undefined) return match[1]
    }
    const tag = (error as { readonly reason?: { readonly _tag?: unknown } } | undefined)?.reason?._tag
    return tag === "AuthenticationError"
      ? new SqlFault(PASSWORD, true)
      : new SqlFault(tag === "ConnectionError" ? "no connection" : "failed")
  }
  const { code, message } = known
  if (code === "SQLITE_1") {
    const kind = /^no such (table|column)/.exec(message)?.[1]
    if (kind !== undefined) return new SqlFault(`there is no such ${kind}${which(message, names)}`, true)
  }
  const words = lasting.get(code)
  if (words === TABLE || words === COLUMN) return new SqlFault(words + which(message, names), true)
  if (words !== undefined) return new SqlFault(words, true)
  return new SqlFault(passing.get(code) ?? wordsOfCode(code) ?? `failed (${code})`)
}

/** The longest name that the message contains, because one name may be part of another. */
const which = (message: string, names: ReadonlyArray<string>): string => {
  const named = names.flatMap((name) => [name, name.split(".").at(-1)!])
    .filter((name) => new RegExp(`(?<!\\w)${name}(?!\\w)`, "i").test(message))
    .toSorted((a, b) => b.length - a.length)
  return named[0] === undefined ? "" : `: ${named[0]}`
}
