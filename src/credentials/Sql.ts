/**
 * Users of a SIP server: the table `subscriber` as OpenSIPS and Kamailio create it, in PostgreSQL, MySQL (MariaDB) or
 * SQLite. The driver is loaded on first use.
 *
 * @module
 */

import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as SqlClient from "effect/sql/SqlClient"
import { Credentials, CredentialsUnavailable, type DigestAlgorithm, type Lookup } from "../Credentials.ts"
import { defined } from "../options/Defined.ts"
import { checkOptions, type OptionsError, positive, secret, whole } from "../options/Options.ts"
import { digestAlgorithms } from "../protocol/digest/Digest.ts"
import { driverOf, mysql, postgres, type Query, sqlite, sqlitePathOf } from "./SqlDrivers.ts"
import type { SqlFault } from "./SqlFault.ts"
import { makeUserQuery, type UserQuery } from "./SqlQuery.ts"
import { SqlSettingsError } from "./SqlSettingsError.ts"
import { type Dialect, isOf, NO_ROW, type Row, secretOf, type SubscriberTable, subscriberTable } from "./SqlTable.ts"
import { Turns } from "./Turns.ts"

export { SqlSettingsError } from "./SqlSettingsError.ts"
export { type SubscriberTable, subscriberTable } from "./SqlTable.ts"

/**
 * Options for reading users from a database.
 *
 * @category options
 * @since 0.2.0
 */
export interface SqlClientOptions {
  /**
   * Names of the table and its columns. Absent: those of `subscriberTable`. Undefined is the same, except for `domain`, where it
   * means that all users are in every realm.
   */
  readonly table?: { readonly [Name in keyof SubscriberTable]?: SubscriberTable[Name] | undefined } | undefined
  /** Whether to read the column of passwords instead of those of H(A1). Absent: H(A1). */
  readonly calculateHa1?: boolean | undefined
  /** Seconds for a connection, and for an answer. Absent: 3. */
  readonly timeout?: number | undefined
}

/**
 * The database of the users, and options for reading them.
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
 * Whether a text can be the name of a table or column, with its schema if needed.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isSqlName = (text: string): boolean => /^[A-Za-z_]\w{0,62}(\.[A-Za-z_]\w{0,62})?$/.test(text)

/**
 * Whether a URL has the scheme of a supported database.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isSqlUrl = (url: string): boolean => driverOf(url) !== undefined

/**
 * Users in a database. One query at the start checks the settings: a wrong password, table or column fails the layer; a
 * database that is down is logged.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerSql = (options: SqlOptions): Layer.Layer<Credentials, SqlSettingsError | OptionsError> =>
  Layer.effect(Credentials, Effect.suspend(() => makeSql(options)))

/** Seconds to connect, and to wait for an answer. */
const TIMEOUT = 3

const any = Schema.optional(Schema.Unknown)

/** Names are checked in `makeWith`, which fails with an `SqlSettingsError`. */
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
 * Users in a database that the program has a `SqlClient` for (PostgreSQL, MySQL or SQLite). The client owns the connections.
 * Its transformation of names is not applied. The settings are checked as by `layerSql`.
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
        return yield* new SqlSettingsError({ problem: "the client is not for a supported database" })
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
  if (driver === undefined) {
    return yield* new SqlSettingsError({ problem: "the URL is not that of a supported database" })
  }
  const where = driver === sqlite ? ` (${sqlitePathOf(url)})` : ""
  // SQLite has a thread that answers one question at a time, and soon.
  const turns = driver === sqlite ? undefined : new Turns(connections)
  return yield* makeWith(options, driver, driver.open({ url, connections, timeout }), { turns, where })
})

interface Asking {
  /** Whose turn it is to ask. Absent: questions do not wait for each other here. */
  readonly turns?: Turns | undefined
  /** Appended to the words of every fault. */
  readonly where?: string | undefined
}

const makeWith = Effect.fnUntraced(function*<R>(
  { calculateHa1 = false, table: names, timeout = TIMEOUT }: SqlClientOptions,
  dialect: Dialect,
  open: Effect.Effect<Query, SqlSettingsError, R>,
  { turns, where = "" }: Asking = {}
) {
  const domain = names !== undefined && "domain" in names ? names.domain : subscriberTable.domain
  const table = { ...subscriberTable, ...defined(names), domain }
  for (const name of Object.values(table)) {
    if (name !== undefined && !isSqlName(name)) {
      return yield* new SqlSettingsError({ problem: `${name} is not the name of a column or table` })
    }
  }
  const query = yield* makeUserQuery({ ask: yield* open, dialect, table, calculateHa1, timeout, where })
  // No user has an empty name: this only checks that the database can be queried.
  const missing = yield* query("", "").pipe(
    Effect.as(undefined),
    Effect.catch((fault) =>
      fault.lasting
        ? Effect.fail(new SqlSettingsError({ problem: fault.words }))
        : Effect.logWarning("the SQL credentials cannot be read now: nobody can log in before they can").pipe(
          Effect.annotateLogs({ reason: fault.words }),
          Effect.as(unavailable(fault))
        )
    )
  )
  const lookup = lookupWith(query)
  const algorithms: ReadonlyArray<DigestAlgorithm> = calculateHa1 || table.ha1Sha256 !== undefined
    ? digestAlgorithms
    : ["MD5"]
  return Credentials.of({
    algorithms,
    lookup: turns === undefined ? lookup : (user) => turns.run(user, lookup(user)),
    missing
  })
})

const unavailable = ({ words }: SqlFault) => new CredentialsUnavailable({ backend: "sql", cause: words })

const lookupWith = (query: UserQuery): Lookup => ({ realm, username }) =>
  query(username, realm).pipe(
    Effect.mapError(unavailable),
    Effect.map((rows) => rows.filter(isOf(username))),
    Effect.flatMap((rows) => {
      if (rows.length > 1) {
        const cause = "more than one such user"
        return Effect.fail(new CredentialsUnavailable({ backend: "sql", cause, onlyThisUser: true }))
      }
      const secret = secretOf(rows[0] ?? NO_ROW)
      return Effect.succeed(rows.length === 0 ? Option.none() : secret)
    })
  )
