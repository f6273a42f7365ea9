/** The table of users: the statements that ask it, and what its rows say. */
import * as Option from "effect/Option"
import { type Secret, storedSecret } from "../Credentials.ts"

/**
 * Names in the database.
 *
 * @category models
 * @since 0.1.0
 */
export interface SubscriberTable {
  readonly table: string
  readonly username: string
  /** The realm of a user; `undefined`: all users are in every realm. */
  readonly domain: string | undefined
  /** The password in plain text, for `calculateHa1`. */
  readonly password: string
  /** H(A1) with MD5. */
  readonly ha1: string
  /** H(A1) with SHA-256, if there is one; OpenSIPS calls it `ha1_sha256`. */
  readonly ha1Sha256: string | undefined
}

/**
 * The table of users that SIP servers have by default; without a column of SHA-256.
 *
 * @category constants
 * @since 0.1.0
 */
export const subscriberTable: SubscriberTable = {
  table: "subscriber",
  username: "username",
  domain: "domain",
  password: "password",
  ha1: "ha1",
  ha1Sha256: undefined
}

export type Row = Readonly<Record<string, unknown>>

/** How a database wants names and parameters, and what it tells of its columns. */
export interface Dialect {
  readonly quote: string
  readonly parameter: (n: number) => string
  /** `any` text, `some` texts, as numbers, or `none` can be in the column. Absent: the type is that of each value. */
  readonly texts?: (column: string) => string
  /** Without the blanks behind it with which a column of a fixed width fills it up. */
  readonly unpadded?: (column: string) => string
}

export const postgresDialect: Dialect = {
  quote: "\"",
  parameter: (n) => `$${n}`,
  // https://www.postgresql.org/docs/current/catalog-pg-type.html: strings, enumerations, addresses; numbers.
  texts: (column) =>
    "(SELECT CASE WHEN typcategory IN ('S', 'E', 'I') OR typname = 'bytea' THEN 'any' " +
    "WHEN typcategory = 'N' OR typname = 'uuid' THEN 'some' ELSE 'none' END " +
    `FROM pg_catalog.pg_type WHERE oid = pg_typeof(${column}))`,
  unpadded: (column) => `${column} || ''`
}

export const mysqlDialect: Dialect = {
  quote: "`",
  parameter: () => "?",
  // Numbers and times. Compared with them, a text that begins with no digit is 0.
  texts: (column) => `CASE WHEN COERCIBILITY(${column}) = 5 THEN 'some' ELSE 'any' END`
}

export const sqliteDialect: Dialect = { quote: "\"", parameter: () => "?" }

/** The table in a statement. */
const TABLE = "users"

/** Rows that are read for one user: enough to see that he is not unique, among other spellings of his name. */
const MAX_ROWS = 16

/** Table and columns as the database wants them written. */
const written = ({ quote }: Dialect, { table }: SubscriberTable) => {
  const name = (text: string): string => text.split(".").map((part) => quote + part + quote).join(".")
  return {
    column: (text: string): string => `${TABLE}.${name(text)}`,
    /** A row also where none of the table is found. */
    joined: (on: string): string => `FROM (SELECT 1 AS one) AS asked LEFT JOIN ${name(table)} AS ${TABLE} ON ${on}`
  }
}

/**
 * The answer always has a row, of nothing but as long where there is no such user: with none, who is a user could be told by the
 * time that it takes.
 */
export const statementOf = (dialect: Dialect, table: SubscriberTable, calculateHa1: boolean): string => {
  const { parameter, unpadded = (same) => same } = dialect
  const { domain, ha1, ha1Sha256, password, username } = table
  const { column, joined } = written(dialect, table)
  const secrets = calculateHa1
    ? [`${unpadded(column(password))} AS password`]
    : [`${column(ha1)} AS ha1`, ...(ha1Sha256 === undefined ? [] : [`${column(ha1Sha256)} AS ha1_sha256`])]
  const on = [username, ...(domain === undefined ? [] : [domain])].map((one, i) =>
    `${column(one)} = ${parameter(i + 1)}`
  )
  const filler = `CASE WHEN ${column(username)} IS NULL THEN '${"-".repeat(40)}' END AS filler`
  const columns = [`${column(username)} AS username`, ...secrets, filler]
  return `SELECT ${columns.join(", ")} ${joined(on.join(" AND "))} LIMIT ${MAX_ROWS}`
}

/** The columns that are read. */
const columnsOf = (
  { domain, ha1, ha1Sha256, password, username }: SubscriberTable,
  calculateHa1: boolean
): ReadonlyArray<string> =>
  [username, domain, ...(calculateHa1 ? [password] : [ha1, ha1Sha256])].filter((name) => name !== undefined)

/** Asks which texts the columns can have; `undefined` where each value has a type of its own. */
export const typesStatementOf = (
  dialect: Dialect,
  table: SubscriberTable,
  calculateHa1: boolean
): string | undefined => {
  const { texts } = dialect
  if (texts === undefined) return undefined
  const { column, joined } = written(dialect, table)
  const types = columnsOf(table, calculateHa1).map((name, i) => `${texts(column(name))} AS texts${i}`)
  return `SELECT ${types.join(", ")} ${joined("1 = 0")}`
}

/** The column that cannot serve by the answer to that: one of numbers may have names and passwords, but no realms. */
export const misfitOf = (answer: Row, table: SubscriberTable, calculateHa1: boolean): string | undefined =>
  columnsOf(table, calculateHa1).find((name, i) => {
    const texts = answer[`texts${i}`]
    return texts === "none" || (texts === "some" && name === table.domain)
  })

/** What is stored, as text: columns of numbers and octets have that too. */
const textOf = (stored: unknown): string | undefined =>
  typeof stored === "string"
    ? stored
    : typeof stored === "number" || typeof stored === "bigint"
    ? String(stored)
    : stored instanceof Uint8Array
    ? Buffer.from(stored).toString("utf8")
    : undefined

/**
 * Is it the row of this user. A database may find it for other spellings as well, in other case or with blanks behind it
 * (as in a column of a fixed width): then these would be users of their own, with limits of their own.
 */
export const isOf = (username: string) => (row: Row): boolean =>
  textOf(row["username"])?.replace(/ +$/, "").normalize("NFC") === username

/** The secret in a row; none where the columns are empty, as in a table of another kind of users. */
export const secretOf = (row: Row): Option.Option<Secret> => {
  const password = textOf(row["password"])
  if (password !== undefined) return Option.fromNullishOr(storedSecret(password, true))
  const found = [row["ha1"], row["ha1_sha256"]].flatMap((value) => {
    const secret = storedSecret(textOf(value)?.trim() ?? "", false)
    return secret?._tag === "Ha1" ? [secret.ha1] : []
  })
  return found.length === 0 ? Option.none() : Option.some({ _tag: "Ha1", ha1: Object.assign({}, ...found) })
}

/** What is read where there is no such user, and not used: it takes as long. */
export const NO_ROW: Row = { ha1: "0".repeat(32), ha1_sha256: "0".repeat(64) }
