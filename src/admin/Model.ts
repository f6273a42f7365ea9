/** Schemas of the JSON of the admin API; field names are those of `Operator` and of the settings. */
import * as Schema from "effect/Schema"
import type { ConnectionSummary, Phase, SessionSummary, TrafficSummary } from "../relay/edge/Operator.ts"
import type { RelayEvent } from "../relay/edge/RelayEvent.ts"
import { transportNames } from "../transport/TransportName.ts"

/** Maximum number of items on a page. */
export const MAX_PAGE = 1000

/** Items on a page if the request does not say how many. */
export const DEFAULT_PAGE = 100
const MAX_OFFSET = 100_000_000

/** Maximum number of characters of a name or an address in a query. */
const MAX_NAME = 255

const count = Schema.Int
const millis = Schema.Finite

/** Traffic in one direction. */
export const Traffic = Schema.Struct({ requests: count, octets: count })

/** The label of a session, which stands for its session-id. */
export const SessionLabel = Schema.String.check(
  Schema.isPattern(/^[0-9a-f]{12}$/, {
    message: "must be 12 hexadecimal digits, as the list of sessions and the log have them"
  })
)

const transport = Schema.Literals(transportNames)

export const Session = Schema.Struct({
  session: Schema.String,
  user: Schema.String,
  realm: Schema.String,
  connection: Schema.optional(count),
  remote: Schema.String,
  transport,
  listener: Schema.String,
  since: millis,
  expires: millis,
  peer: Schema.optional(Schema.String),
  sent: Traffic,
  received: Traffic,
  failures: count
}).annotate({ identifier: "Session" })

export const Connection = Schema.Struct({
  connection: count,
  remote: Schema.String,
  transport,
  listener: Schema.optional(Schema.String),
  relay: Schema.Boolean,
  user: Schema.optional(Schema.String),
  realm: Schema.optional(Schema.String),
  severalUsers: Schema.Boolean,
  since: millis,
  sessions: count,
  octetsIn: count,
  octetsOut: count,
  waiting: count
}).annotate({ identifier: "Connection" })

export const Sessions = Schema.Struct({ total: count, items: Schema.Array(Session) })
export const Connections = Schema.Struct({ total: count, items: Schema.Array(Connection) })

/** An event of the relay, as it is logged. */
export const Event = Schema.Struct({
  time: millis,
  level: Schema.Literals(["Debug", "Info", "Warn"]),
  message: Schema.String,
  fields: Schema.Record(Schema.String, Schema.Union([Schema.String, Schema.Finite, Schema.Boolean]))
}).annotate({ identifier: "Event" })

export const Events = Schema.Struct({ items: Schema.Array(Event) })

/** A name in a query. */
export const Name = Schema.String.check(
  Schema.isNonEmpty({ message: "must not be empty" }),
  Schema.isMaxLength(MAX_NAME, { message: `must have at most ${MAX_NAME} characters` })
)

/** A whole number as text, in a query or on the command line. */
const wholeNumber = (minimum: number, maximum: number) => Schema.FiniteFromString.check(...between(minimum, maximum))

const between = (minimum: number, maximum: number) =>
  [
    Schema.isInt({ message: "must be a whole number" }),
    Schema.isBetween({ minimum, maximum }, { message: `must be from ${minimum} to ${maximum}` })
  ] as const

const page = {
  address: Schema.optional(Name),
  offset: Schema.optional(wholeNumber(0, MAX_OFFSET)),
  limit: Schema.optional(wholeNumber(1, MAX_PAGE))
}

export const Limit = Schema.Finite.check(...between(1, MAX_PAGE))
export const Offset = Schema.Finite.check(...between(0, MAX_OFFSET))

export const sessionQuery = {
  user: Schema.optional(Name),
  realm: Schema.optional(Name),
  sort: Schema.optional(Schema.Literals(["octets", "age"])),
  ...page
}
export const connectionQuery = { sort: Schema.optional(Schema.Literals(["octets", "waiting", "age"])), ...page }

/** The traffic to trace; `seconds` is the duration of the trace. */
export const traceQuery = {
  user: Schema.optional(Name),
  realm: Schema.optional(Name),
  seconds: Schema.optional(wholeNumber(1, 86_400))
}

export const ConnectionNumber = wholeNumber(0, Number.MAX_SAFE_INTEGER)

export const Ended = Schema.Struct({ ended: count })

const phase = Schema.Literals(["serving", "draining", "stopping"])

/**
 * The phase of the relay; `since` is when it began, in milliseconds since 1970.
 *
 * @category schemas
 * @since 0.2.0
 */
export const PhaseState = Schema.Struct({ phase, since: millis })

/**
 * A backend of users whose last lookup failed.
 *
 * @category schemas
 * @since 0.2.0
 */
export const UsersUnavailable = Schema.Struct({
  /** Milliseconds since 1970 of the first failure in a row, and of the last. */
  since: millis,
  last: millis,
  reason: Schema.String
})

/**
 * A backend of users that the settings name, and what is wrong with it, if anything.
 *
 * @category schemas
 * @since 0.2.0
 */
export const UsersBackend = Schema.Struct({
  /** The kind, as MSRP_CREDENTIALS names it. */
  backend: Schema.String,
  /** How many users it has. Absent if it does not know. */
  users: Schema.optional(count),
  /** Absent if its last lookup succeeded, or there was none. */
  unavailable: Schema.optional(UsersUnavailable),
  /** Why the users from before are in use, and since when; absent if they are not. */
  outdated: Schema.optional(Schema.Struct({ since: millis, reason: Schema.String })),
  /** Why none of its users can log in. Absent if some may, or it is not known. */
  unserved: Schema.optional(Schema.String)
})

/**
 * A certificate of the relay's own in use: the names it is for, and its expiry in milliseconds since 1970.
 *
 * @category schemas
 * @since 0.2.0
 */
export const CertificateInUse = Schema.Struct({ names: Schema.Array(Schema.String), notAfter: millis })

/**
 * An overview of the relay: current numbers, their limits, and rates.
 *
 * @category schemas
 * @since 0.2.0
 */
export const Overview = Schema.Struct({
  version: Schema.String,
  phase,
  /** Milliseconds since 1970 when the phase began, when the process started, and of now. */
  since: millis,
  started: millis,
  now: millis,
  /** Why the relay should get no new clients, as `/readyz` says it. Absent if it is ready. */
  notReady: Schema.optional(Schema.Array(Schema.String)),
  connections: count,
  maxConnections: Schema.optional(count),
  sessions: count,
  maxSessions: Schema.optional(count),
  /** Octets of buffered output and of parked requests. */
  bufferedOctets: count,
  /** Octets of memory of the process. */
  memory: Schema.optional(Schema.Struct({
    /** Of all of it. */
    resident: count,
    /** Of JavaScript's heap that are in use, and that are reserved. */
    heapUsed: count,
    heapReserved: count,
    /** Of buffers outside the heap. */
    buffers: count,
    /** Of those of the buffers that are for output, in use or free. Absent if it is not known. */
    output: Schema.optional(count),
    /** Of those of the buffers that are for requests that wait, and are free. Absent if it is not known. */
    freeBlocks: Schema.optional(count)
  })),
  /** The backends of users. Absent if they are not known. */
  users: Schema.optional(Schema.Array(UsersBackend)),
  /** Absent if it is not known. */
  certificates: Schema.optional(Schema.Array(CertificateInUse)),
  /** Lines of the log that were lost since the start, because they could not be written. Absent if it is not known. */
  logLinesLost: Schema.optional(count),
  /** Median delay of the event loop in the last seconds, in milliseconds. */
  eventLoopDelay: Schema.Finite,
  /** Rates per second, over about the last ten seconds. */
  rates: Schema.Struct({
    framesIn: Schema.Finite,
    octetsIn: Schema.Finite,
    forwarded: Schema.Finite,
    refused: Schema.Finite,
    authsGranted: Schema.Finite,
    failedAuths: Schema.Finite,
    undecidedAuths: Schema.Finite
  })
}).annotate({ identifier: "Overview" })

/**
 * A setting that is in force.
 *
 * @category schemas
 * @since 0.2.0
 */
export const SettingInForce = Schema.Struct({
  name: Schema.String,
  /** Absent if it is secret, or not set and without a default. */
  value: Schema.optional(Schema.String),
  /** Whether it was set, as opposed to a default. */
  set: Schema.Boolean,
  /** Whether its value is a secret. */
  secret: Schema.Boolean
}).annotate({ identifier: "Setting" })

export const Config = Schema.Struct({ settings: Schema.Array(SettingInForce) })

export const logLevels = ["all", "trace", "debug", "info", "warn", "error", "fatal", "none"] as const

export const LogLevelState = Schema.Struct({ level: Schema.Literals(logLevels) })

/**
 * The result of reloading the settings.
 *
 * @category schemas
 * @since 0.2.0
 */
export const Reloaded = Schema.Struct({
  /** Names of the changed settings that are in force now. */
  changed: Schema.Array(Schema.String),
  /** Names of the changed settings that need a restart. */
  needsRestart: Schema.Array(Schema.String),
  /** Problems of the new settings; if there are any, nothing was changed. */
  problems: Schema.Array(Schema.Struct({ setting: Schema.String, problem: Schema.String })),
  /** What works but is probably a mistake, whether it is new or not. Absent if it is not known. */
  warnings: Schema.optional(Schema.Array(Schema.String))
}).annotate({ identifier: "Reloaded" })

export const Version = Schema.Struct({ version: Schema.String, node: Schema.String })
export const Healthy = Schema.Struct({ status: Schema.Literal("ok") })
export const Ready = Schema.Struct({ status: Schema.Literal("ready") })

/**
 * One line of a trace, as JSON.
 *
 * @category schemas
 * @since 0.2.0
 */
export const TraceLine = Schema.Record(Schema.String, Schema.Json)

/**
 * A phase as `PhaseState` decodes it.
 *
 * @category models
 * @since 0.2.0
 */
export type PhaseState = typeof PhaseState.Type
/**
 * A failing backend as `UsersUnavailable` decodes it.
 *
 * @category models
 * @since 0.2.0
 */
export type UsersUnavailable = typeof UsersUnavailable.Type
/**
 * A backend as `UsersBackend` decodes it.
 *
 * @category models
 * @since 0.2.0
 */
export type UsersBackend = typeof UsersBackend.Type
/**
 * A certificate as `CertificateInUse` decodes it.
 *
 * @category models
 * @since 0.2.0
 */
export type CertificateInUse = typeof CertificateInUse.Type
/**
 * An overview as `Overview` decodes it.
 *
 * @category models
 * @since 0.2.0
 */
export type Overview = typeof Overview.Type
/**
 * A setting as `SettingInForce` decodes it.
 *
 * @category models
 * @since 0.2.0
 */
export type SettingInForce = typeof SettingInForce.Type
/**
 * A reload as `Reloaded` decodes it.
 *
 * @category models
 * @since 0.2.0
 */
export type Reloaded = typeof Reloaded.Type
/**
 * The name of a log level.
 *
 * @category models
 * @since 0.2.0
 */
export type LogLevelName = typeof LogLevelState.Type["level"]
/**
 * A line as `TraceLine` decodes it.
 *
 * @category models
 * @since 0.2.0
 */
export type TraceLine = typeof TraceLine.Type
/**
 * The user whose frames are traced, and the duration of the trace in seconds.
 *
 * @category models
 * @since 0.2.0
 */
export interface TraceQuery {
  readonly user?: string | undefined
  readonly realm?: string | undefined
  readonly seconds?: number | undefined
}

/** Does not compile if the API lacks or misnames a field of `Operator`. */
type Same<A, B extends A> = B
export type Contract = [
  Same<typeof Session.Type, SessionSummary>,
  Same<typeof Connection.Type, ConnectionSummary>,
  Same<keyof SessionSummary, keyof typeof Session.Type>,
  Same<keyof ConnectionSummary, keyof typeof Connection.Type>,
  Same<typeof Traffic.Type, TrafficSummary>,
  Same<typeof phase.Type, Phase>,
  Same<keyof RelayEvent, keyof typeof Event.Type>
]
