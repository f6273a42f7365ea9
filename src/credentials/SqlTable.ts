/** The table of users: its names, the statements that query it, and the secrets in its rows. */
import * as Option from "effect/Option"
import { type Secret, storedSecret } from "../Credentials.ts"

/**
 * Names of the table of users and of its columns.
 *
 * @category models
 * @since 0.1.0
 */
export interface SubscriberTable {
  readonly table: string
  readonly username: string
  /** The column of the realm; `undefined` if all users are in every realm. */
  readonly domain: string | undefined
  /** The column of the password in plain text, for `calculateHa1`. */
  readonly password: string
  /** The column of H(A1) with MD5. */
  readonly ha1: string
  /** The column of H(A1) with SHA-256, if there is one; OpenSIPS calls it `ha1_sha256`. */
  readonly ha1Sha256: string | undefined
}

/**
 * The default table of users of SIP servers, which has no column for SHA-256.
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

/** The syntax that a database uses for names and parameters, and expressions about its columns. */
export interface Dialect {
  readonly quote: string
  readonly parameter: (n: number) => string
  /** Whether the column can contain `any` text, `some` (numbers, for example) or `none`. Absent if each value has its own type. */
  readonly texts?: (column: string) => string
  /** The value without the trailing blanks of a fixed-width column. */
  readonly unpadded?: (column: string) => string
}

export const postgresDialect: Dialect = {
  quote: "\"",
  parameter: (n) => `$${n}`,
  // S: strings, E: enumerations, I: addresses, N: numbers (https://www.postgresql.org/docs/current/catalog-pg-type.html).
  texts: (column) =>
    "(SELECT CASE WHEN typcategory IN ('S', 'E', 'I') OR typname = 'bytea' THEN 'any' " +
    "WHEN typcategory = 'N' OR typname = 'uuid' THEN 'some' ELSE 'none' END " +
    `FROM pg_catalog.pg_type WHERE oid = pg_typeof(${column}))`,
  unpadded: (column) => `${column} || ''`
}

export const mysqlDialect: Dialect = {
  quote: "`",
  parameter: () => "?",
  // A coercibility of 5 is that of numbers and times. Compared with them, a text that does not start with a digit is 0.
  texts: (column) => `CASE WHEN COERCIBILITY(${column}) = 5 THEN 'some' ELSE 'any' END`
}

export const sqliteDialect: Dialect = { quote: "\"", parameter: () => "?" }

/** The alias of the table in a statement. */
const TABLE = "users"

/** Rows read for one user: enough to find a duplicate among other spellings of the name. */
const MAX_ROWS = 16

/** Quotes the names of the table and of its columns. */
const written = ({ quote }: Dialect, { table }: SubscriberTable) => {
  const name = (text: string): string => text.split(".").map((part) => quote + part + quote).join(".")
  return {
    column: (text: string): string => `${TABLE}.${name(text)}`,
    from: `FROM ${name(table)} AS ${TABLE}`,
    /** Gives a row even if none of the table matches. */
    joined: (on: string): string => `FROM (SELECT 1 AS one) AS asked LEFT JOIN ${name(table)} AS ${TABLE} ON ${on}`
  }
}

/**
 * The statement that finds a user. Its answer always has a row, which is as long for an unknown user, so that the time of an
 * answer does not reveal who is a user.
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

/**
 * The statement that counts the users of other realms than so many, which are its parameters, and gives one of those realms;
 * `undefined` if all users are in every realm.
 */
export const othersStatementOf = (dialect: Dialect, table: SubscriberTable, realms: number): string | undefined => {
  if (table.domain === undefined) return undefined
  const { column, from } = written(dialect, table)
  const asked = Array.from({ length: realms }, (_, i) => dialect.parameter(i + 1))
  const domain = column(table.domain)
  return `SELECT COUNT(*) AS users, MIN(${domain}) AS realm ${from} WHERE ${domain} NOT IN (${asked.join(", ")})`
}

/** The columns that are read or compared. */
const columnsOf = (
  { domain, ha1, ha1Sha256, password, username }: SubscriberTable,
  calculateHa1: boolean
): ReadonlyArray<string> =>
  [username, domain, ...(calculateHa1 ? [password] : [ha1, ha1Sha256])].filter((name) => name !== undefined)

/** The statement that asks which texts the columns can contain; `undefined` if each value has its own type. */
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

/** The column that is unsuitable by the answer to that statement. Numbers can be names and passwords, but not realms. */
export const misfitOf = (answer: Row, table: SubscriberTable, calculateHa1: boolean): string | undefined =>
  columnsOf(table, calculateHa1).find((name, i) => {
    const texts = answer[`texts${i}`]
    return texts === "none" || (texts === "some" && name === table.domain)
  })

/** The answer to the statement that counts users of other realms; `undefined` if there are none. */
export const othersIn = (answer: Row): { readonly users: number; readonly realm: string } | undefined => {
  const users = Number(answer["users"])
  return users > 0 ? { users, realm: textOf(answer["realm"]) ?? "" } : undefined
}

/** A stored value as text; columns may contain numbers or octets. */
const textOf = (stored: unknown): string | undefined =>
  typeof stored === "string"
    ? stored
    : typeof stored === "number" || typeof stored === "bigint"
    ? String(stored)
    : stored instanceof Uint8Array
    ? Buffer.from(stored).toString("utf8")
    : undefined

/**
 * Whether a row is that of this user. A database may also match other spellings, in another case or with trailing blanks.
 * Accepting them would make each spelling a user with its own limits.
 */
export const isOf = (username: string) => (row: Row): boolean =>
  textOf(row["username"])?.replace(/ +$/, "").normalize("NFC") === username

/** The secret in a row; `None` if its columns are empty, as they are for users who log in by other means. */
export const secretOf = (row: Row): Option.Option<Secret> => {
  const password = textOf(row["password"])
  if (password !== undefined) return Option.fromNullishOr(storedSecret(password, true))
  const found = [row["ha1"], row["ha1_sha256"]].flatMap((value) => {
    const secret = storedSecret(textOf(value)?.trim() ?? "", false)
    return secret?._tag === "Ha1" ? [secret.ha1] : []
  })
  return found.length === 0 ? Option.none() : Option.some({ _tag: "Ha1", ha1: Object.assign({}, ...found) })
}

/** A row that is parsed for an unknown user, and not used, so that it takes as long. */
export const NO_ROW: Row = { ha1: "0".repeat(32), ha1_sha256: "0".repeat(64) }
