/**
 * Users of a SIP server: the table `subscriber` as OpenSIPS and Kamailio make it, in PostgreSQL, MySQL (MariaDB) or
 * SQLite. The driver is loaded when it is needed.
 *
 * @module
 */

import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { identity } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as SqlClient from "effect/sql/SqlClient"
import { Credentials, CredentialsUnavailable, type DigestAlgorithm } from "../Credentials.ts"
import { loadInstalled } from "../options/Installed.ts"
import { checkOptions, type OptionsError, positive, secret, whole } from "../options/Options.ts"
import { digestAlgorithms } from "../protocol/digest/Digest.ts"
import { faultOf, isUnwritable, SqlFault, wrongType } from "./SqlFault.ts"
import { openSqlite } from "./Sqlite.ts"
import {
  type Dialect,
  isOf,
  misfitOf,
  mysqlDialect,
  NO_ROW,
  postgresDialect,
  type Row,
  secretOf,
  sqliteDialect,
  statementOf,
  type SubscriberTable,
  subscriberTable,
  typesStatementOf
} from "./SqlTable.ts"

export { type SubscriberTable, subscriberTable } from "./SqlTable.ts"

/**
 * How users are read from a database.
 *
 * @category options
 * @since 0.2.0
 */
export interface SqlClientOptions {
  readonly table?: Partial<SubscriberTable> | undefined
  /** Use the column of passwords; otherwise those of H(A1). Absent: H(A1). */
  readonly calculateHa1?: boolean | undefined
  /** Seconds for a connection, and for an answer. Absent: 3. */
  readonly timeout?: number | undefined
}

/**
 * Which database has the users, and how they are read from it.
 *
 * @category options
 * @since 0.1.0
 */
export interface SqlOptions extends SqlClientOptions {
  /** `postgres://user:password@host/database`, `mysql://...`, or `sqlite:path`. */
  readonly url: Redacted.Redacted
  /** Connections at a time. Absent: 4. */
  readonly connections?: number | undefined
}

/**
 * The settings cannot be used, or the driver is missing. Tells nothing of the URL, which has a password in it.
 *
 * @category errors
 * @since 0.1.0
 */
export class SqlSettingsError extends Data.TaggedError("SqlSettingsError")<{ readonly problem: string }> {
  override get message(): string {
    return `The SQL credentials cannot be used: ${this.problem}`
  }
}

/**
 * A name of a table or column, with its schema if need be.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isSqlName = (text: string): boolean => /^[A-Za-z_]\w{0,62}(\.[A-Za-z_]\w{0,62})?$/.test(text)

/** Asks a statement with parameters; fails as the driver does. */
type Query = (statement: string, parameters: ReadonlyArray<string>) => Effect.Effect<ReadonlyArray<Row>, unknown>

interface Driver extends Dialect {
  readonly open: (options: Opened) => Effect.Effect<Query, SqlSettingsError, Scope.Scope>
}

interface Opened {
  readonly url: string
  readonly connections: number
  readonly timeout: number
}

const loading = <A>(what: string, load: () => Promise<A>): Effect.Effect<A, SqlSettingsError> =>
  Effect.mapError(loadInstalled(what, load), ({ message }) => new SqlSettingsError({ problem: message }))

const postgres: Driver = {
  ...postgresDialect,
  open: Effect.fnUntraced(function*({ connections, timeout, url }) {
    const PgClient = yield* loading("@effect/sql-pg", () => import("@effect/sql-pg/PgClient"))
    const context = yield* Layer.build(
      PgClient.layer({
        url: Redacted.make(url),
        maxConnections: connections,
        minConnections: 0,
        connectTimeout: `${timeout} seconds`,
        idleTimeout: "1 minute",
        applicationName: "msrp-relay"
      })
    ).pipe(Effect.mapError(() => new SqlSettingsError({ problem: "not a URL of PostgreSQL" })))
    const sql = yield* Effect.provide(PgClient.PgClient, context)
    return (statement, parameters) => sql.unsafe<Row>(statement, [...parameters])
  })
}

const mysql: Driver = {
  ...mysqlDialect,
  open: Effect.fnUntraced(function*({ connections, timeout, url }) {
    const { createPool } = yield* loading("mysql2", () => import("mysql2/promise"))
    const pool = yield* Effect.acquireRelease(
      Effect.try({
        try: () =>
          createPool({
            uri: url.replace(/^mariadb:/, "mysql:"),
            connectionLimit: connections,
            // Who waits longer than a client does need not be answered.
            queueLimit: 1000,
            connectTimeout: timeout * 1000,
            enableKeepAlive: true,
            // A name or a password of more digits than a number of JavaScript has is text.
            supportBigNumbers: true
          }),
        catch: () => new SqlSettingsError({ problem: "not a URL of MySQL" })
      }),
      (pool) => Effect.ignore(Effect.tryPromise(() => pool.end()))
    )
    return (statement, parameters) =>
      Effect.tryPromise({
        try: async (unwanted) => {
          const connection = await pool.getConnection()
          // Nobody waits for it any more.
          if (unwanted.aborted) {
            connection.release()
            return []
          }
          // One that did not answer in time may never do so, as behind a network that drops what it is sent: back in the
          // pool it would be busy for ever.
          const drop = (): void => connection.destroy()
          unwanted.addEventListener("abort", drop)
          try {
            return (await connection.execute(statement, [...parameters]))[0] as unknown as ReadonlyArray<Row>
          } finally {
            unwanted.removeEventListener("abort", drop)
            connection.release()
          }
        },
        catch: identity
      })
  })
}

/** What comes before the path. */
const SQLITE = /^sqlite:(\/\/)?/

const sqlite: Driver = {
  ...sqliteDialect,
  open: ({ timeout, url }) => openSqlite({ path: url.replace(SQLITE, ""), timeout })
}

const driverOf = (url: string): Driver | undefined => {
  if (/^postgres(ql)?:\/\//.test(url)) return postgres
  if (/^(mysql|mariadb):\/\//.test(url)) return mysql
  return /^sqlite:./.test(url) ? sqlite : undefined
}

/**
 * Whether it can be a URL of one of the databases.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isSqlUrl = (url: string): boolean => driverOf(url) !== undefined

/**
 * Asks once whether the users can be asked for: a password, table or column that is wrong fails the layer, and a database
 * that is down is logged.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerSql = (options: SqlOptions): Layer.Layer<Credentials, SqlSettingsError | OptionsError> =>
  Layer.effect(Credentials, Effect.suspend(() => makeSql(options)))

/** Seconds. */
const TIMEOUT = 3

const any = Schema.optional(Schema.Unknown)

/** What the names may be is told with the others that cannot be used: by `SqlSettingsError`. */
const clientSchema = {
  table: Schema.optional(Schema.Struct(
    {
      table: any,
      username: any,
      domain: any,
      password: any,
      ha1: any,
      ha1Sha256: any
    } satisfies Readonly<Record<keyof SubscriberTable, unknown>>
  )),
  calculateHa1: Schema.optional(Schema.Boolean),
  timeout: Schema.optional(positive)
}

const optionsSchema = Schema.Struct({
  ...clientSchema,
  url: secret(),
  connections: Schema.optional(whole([1, 1000]))
})

/**
 * The same of a `SqlClient` that the program has (PostgreSQL, MySQL or SQLite): its connections, its pool, its end. Nothing is
 * changed by the names that it may transform.
 *
 * @category layers
 * @since 0.2.0
 */
export const layerSqlClient = (
  options: SqlClientOptions = {}
): Layer.Layer<Credentials, SqlSettingsError | OptionsError, SqlClient.SqlClient> =>
  Layer.effect(
    Credentials,
    Effect.gen(function*() {
      yield* checkOptions("layerSqlClient", Schema.Struct(clientSchema), options)
      const sql = yield* SqlClient.SqlClient
      const dialect = sql.onDialectOrElse({
        pg: (): Dialect | undefined => postgres,
        mysql: () => mysql,
        sqlite: () => sqlite,
        orElse: () => undefined
      })
      if (dialect === undefined) {
        return yield* new SqlSettingsError({ problem: "the client is of no database that is known" })
      }
      const ask: Query = (statement, parameters) => sql.unsafe<Row>(statement, [...parameters]).withoutTransform
      return yield* makeWith(options, dialect, Effect.succeed(ask))
    })
  )

const makeSql = Effect.fnUntraced(function*(options: SqlOptions) {
  yield* checkOptions("layerSql", optionsSchema, options)
  const { connections = 4, timeout = TIMEOUT } = options
  const url = Redacted.value(options.url)
  const driver = driverOf(url)
  if (driver === undefined) return yield* new SqlSettingsError({ problem: "the URL is of no database that is known" })
  const where = driver === sqlite ? ` (${url.replace(SQLITE, "")})` : ""
  return yield* makeWith(options, driver, driver.open({ url, connections, timeout }), where)
})

/** `where`: behind what is said of a fault. */
const makeWith = Effect.fnUntraced(function*<R>(
  { calculateHa1 = false, table: names, timeout = TIMEOUT }: SqlClientOptions,
  dialect: Dialect,
  open: Effect.Effect<Query, SqlSettingsError, R>,
  where = ""
) {
  const table = { ...subscriberTable, ...names }
  for (const name of Object.values(table)) {
    if (name !== undefined && !isSqlName(name)) {
      return yield* new SqlSettingsError({ problem: `${name} is no name of a column or table` })
    }
  }
  const ask = yield* open
  const scope = yield* Scope.Scope
  const statement = statementOf(dialect, table, calculateHa1)
  const known = Object.values(table).filter((name) => name !== undefined)
  let fits = false
  const query = (username: string, realm: string): Effect.Effect<ReadonlyArray<Row>, SqlFault> =>
    ask(statement, table.domain === undefined ? [username] : [username, realm]).pipe(
      Effect.catchIf(isUnwritable, () => Effect.succeed([])),
      Effect.mapError((error) => faultOf(error, known)),
      Effect.tap(() => fits ? Effect.void : fitting),
      // The driver may take long to take a question back, as that of PostgreSQL, which asks the server for it: nobody waits for that.
      Effect.forkIn(scope, { startImmediately: true }),
      Effect.flatMap((asking) =>
        Effect.timeoutOrElse(Fiber.join(asking), {
          duration: timeout * 1000,
          orElse: () => Effect.fail(new SqlFault("no answer in time"))
        }).pipe(Effect.ensuring(Effect.sync(() => asking.interruptUnsafe())))
      ),
      Effect.mapError(({ lasting, words }) => new SqlFault(words + where, lasting))
    )
  const typesStatement = typesStatementOf(dialect, table, calculateHa1)
  // Once, when there is an answer: with a column that cannot serve nobody would be found, without a word.
  const fitting = (typesStatement === undefined ? Effect.succeed([]) : ask(typesStatement, [])).pipe(
    // A database that does not tell its types, as others that speak the language of PostgreSQL.
    Effect.catch(() => Effect.succeed([])),
    Effect.flatMap(([row]) => {
      const misfit = misfitOf(row ?? {}, table, calculateHa1)
      fits = misfit === undefined
      return misfit === undefined ? Effect.void : Effect.fail(wrongType(misfit))
    })
  )
  // Nobody has an empty name: what is asked for is whether it can be asked.
  yield* query("", "").pipe(
    Effect.catch((fault) =>
      fault.lasting
        ? Effect.fail(new SqlSettingsError({ problem: fault.words }))
        : Effect.logWarning("the SQL credentials cannot be read now: nobody can log in before they can").pipe(
          Effect.annotateLogs({ reason: fault.words })
        )
    )
  )
  const algorithms: ReadonlyArray<DigestAlgorithm> = calculateHa1 || table.ha1Sha256 !== undefined
    ? digestAlgorithms
    : ["MD5"]
  return Credentials.make(
    ({ realm, username }) =>
      query(username, realm).pipe(
        Effect.mapError(({ words }) => new CredentialsUnavailable({ backend: "sql", cause: words })),
        Effect.map((rows) => rows.filter(isOf(username))),
        Effect.flatMap((rows) => {
          if (rows.length > 1) {
            return Effect.fail(new CredentialsUnavailable({ backend: "sql", cause: "more than one such user" }))
          }
          const secret = secretOf(rows[0] ?? NO_ROW)
          return Effect.succeed(rows.length === 0 ? Option.none() : secret)
        })
      ),
    algorithms
  )
})
