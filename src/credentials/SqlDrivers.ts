/** The databases that the SQL credentials can read: PostgreSQL, MySQL (MariaDB) and SQLite. Drivers are loaded on first use. */
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { loadInstalled } from "../options/Installed.ts"
import { openSqlite } from "./Sqlite.ts"
import { SqlSettingsError } from "./SqlSettingsError.ts"
import { type Dialect, mysqlDialect, postgresDialect, type Row, sqliteDialect } from "./SqlTable.ts"

/** Runs a statement with parameters; fails with the error of the driver. */
export type Query = (statement: string, parameters: ReadonlyArray<string>) => Effect.Effect<ReadonlyArray<Row>, unknown>

interface Driver extends Dialect {
  /** Opens a pool of connections. */
  readonly open: (options: PoolOptions) => Effect.Effect<Query, SqlSettingsError, Scope.Scope>
}

interface PoolOptions {
  readonly url: string
  /** Maximum number of connections. */
  readonly connections: number
  /** Seconds to connect, and to wait for a locked SQLite file. */
  readonly timeout: number
}

const loading = <A>(what: string, load: () => Promise<A>): Effect.Effect<A, SqlSettingsError> =>
  Effect.mapError(loadInstalled(what, load), ({ message }) => new SqlSettingsError({ problem: message }))

export const postgres: Driver = {
  ...postgresDialect,
  open: Effect.fnUntraced(function*({ connections, timeout, url }) {
    // The driver knows no `ssl`, and would send names and H(A1)s in the clear.
    if (URL.parse(url)?.searchParams.has("ssl") === true) {
      return yield* new SqlSettingsError({
        problem: "the URL has ssl, which PostgreSQL does not know: use sslmode=require"
      })
    }
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

export const mysql: Driver = {
  ...mysqlDialect,
  open: Effect.fnUntraced(function*({ connections, timeout, url }) {
    const { createPool } = yield* loading("mysql2", () => import("mysql2/promise"))
    const pool = yield* Effect.acquireRelease(
      Effect.try({
        try: () =>
          createPool({
            uri: url.replace(/^mariadb:/, "mysql:"),
            connectionLimit: connections,
            // A lookup behind a thousand others would be answered after its client has given up.
            queueLimit: 1000,
            connectTimeout: timeout * 1000,
            enableKeepAlive: true,
            // Returns names and passwords that exceed the precision of a JavaScript number as text.
            supportBigNumbers: true
          }),
        catch: (error) =>
          new SqlSettingsError({
            problem: /SSL profile/.test(String(error))
              ? "the URL has an ssl that is not known: use ssl={%22verifyIdentity%22:true}"
              : "not a URL of MySQL"
          })
      }),
      (pool) => Effect.ignore(Effect.tryPromise(() => pool.end()))
    )
    return (statement, parameters) =>
      Effect.tryPromise({
        try: async (unwanted) => {
          const connection = await pool.getConnection()
          // The lookup was interrupted while it waited for a connection.
          if (unwanted.aborted) {
            connection.release()
            return []
          }
          // A connection that has not answered in time may never answer, for example if the network drops its packets. Back in
          // the pool it would stay busy for ever.
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

/** The part of a SQLite URL before the path. */
const SQLITE = /^sqlite:(\/\/)?/

/** The file that a SQLite URL names. */
export const sqlitePathOf = (url: string): string => url.replace(SQLITE, "")

export const sqlite: Driver = {
  ...sqliteDialect,
  open: ({ timeout, url }) => openSqlite({ path: sqlitePathOf(url), timeout })
}

/** The driver for a URL; `undefined` if its scheme is unknown. */
export const driverOf = (url: string): Driver | undefined => {
  if (/^postgres(ql)?:\/\//.test(url)) return postgres
  if (/^(mysql|mariadb):\/\//.test(url)) return mysql
  return /^sqlite:./.test(url) ? sqlite : undefined
}
