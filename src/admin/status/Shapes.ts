/**
 * Schemas of the JSON that the status page reads. It contains no secret: no session URI, no password, no body. The page imports
 * only types from here.
 */
import * as Schema from "effect/Schema"
import { transportNames } from "../../transport/TransportName.ts"

/** Milliseconds since 1970. */
const Time = Schema.Number

/** An event of the relay: a `RelayEvent`. */
export const StatusEvent = Schema.Struct({
  time: Time,
  level: Schema.Literals(["Debug", "Info", "Warn"]),
  message: Schema.String,
  fields: Schema.Record(Schema.String, Schema.UndefinedOr(Schema.Union([Schema.String, Schema.Number, Schema.Boolean])))
})
export type StatusEvent = typeof StatusEvent.Type

const Traffic = Schema.Struct({ requests: Schema.Number, octets: Schema.Number })

/** A live session: a `SessionSummary`. */
export const StatusSession = Schema.Struct({
  session: Schema.String,
  user: Schema.String,
  realm: Schema.String,
  connection: Schema.optional(Schema.Number),
  remote: Schema.String,
  transport: Schema.Literals(transportNames),
  listener: Schema.String,
  since: Time,
  expires: Time,
  peer: Schema.optional(Schema.String),
  sent: Traffic,
  received: Traffic,
  failures: Schema.Number
})
export type StatusSession = typeof StatusSession.Type

/** Values of a chart, the latest last; `null` where a value is unknown. */
const Column = Schema.Array(Schema.NullOr(Schema.Number))

/** The data of the charts, in columns of equal length. Rates are per second since the previous sample. */
export const StatusSamples = Schema.Struct({
  time: Schema.Array(Time),
  sessions: Column,
  connections: Column,
  /** SENDs received and sent per second; each chunk counts as one. */
  messagesIn: Column,
  messagesOut: Column,
  /** Octets received and sent per second, over all connections. */
  octetsIn: Column,
  octetsOut: Column,
  /** Delay of the event loop in milliseconds, 99th percentile. */
  loopDelay: Column,
  /** Time of lookups in the backend of users in milliseconds, 99th percentile. */
  backendDelay: Column
})
export type StatusSamples = typeof StatusSamples.Type

/** One sample of the data of the charts. */
export const StatusSample = Schema.Struct({
  time: Time,
  sessions: Schema.NullOr(Schema.Number),
  connections: Schema.NullOr(Schema.Number),
  messagesIn: Schema.NullOr(Schema.Number),
  messagesOut: Schema.NullOr(Schema.Number),
  octetsIn: Schema.NullOr(Schema.Number),
  octetsOut: Schema.NullOr(Schema.Number),
  loopDelay: Schema.NullOr(Schema.Number),
  backendDelay: Schema.NullOr(Schema.Number)
})
export type StatusSample = typeof StatusSample.Type

/** The count of one kind of problem: since the relay started, and in the time that the charts show. */
export const StatusTrouble = Schema.Struct({
  kind: Schema.String,
  total: Schema.Number,
  lately: Schema.Number
})
export type StatusTrouble = typeof StatusTrouble.Type

/** Percentiles in milliseconds. */
const Delays = { p50: Schema.Number, p99: Schema.Number }

/**
 * How the process is, as the status page shows it.
 *
 * @category schemas
 * @since 0.2.0
 */
export const StatusHealth = Schema.Struct({
  /** Delay of the event loop in the last interval. */
  loop: Schema.Struct({ ...Delays, max: Schema.Number }),
  /** Octets of the used heap, of its limit, and of all memory of the process. */
  heap: Schema.Struct({ used: Schema.Number, limit: Schema.Number, resident: Schema.Number }),
  /** Numbers of open descriptors, and of those that the system allows. */
  descriptors: Schema.optional(Schema.Struct({ open: Schema.Number, limit: Schema.Number })),
  certificates: Schema.optional(Schema.Array(Schema.Struct({ names: Schema.Array(Schema.String), notAfter: Time }))),
  /**
   * The backend of users: time of lookups in the last interval, if there were any, failures since the start, and since when it
   * is down, if the last lookup failed, or has had the users from before, if it cannot read those of now. Of which sources
   * nobody can log in, and why.
   */
  backend: Schema.optional(Schema.Struct({
    p50: Schema.optional(Schema.Number),
    p99: Schema.optional(Schema.Number),
    errors: Schema.Number,
    down: Schema.optional(Schema.Struct({ since: Time, reason: Schema.String })),
    outdated: Schema.optional(Schema.Struct({ since: Time, reason: Schema.String })),
    unusable: Schema.optional(Schema.Array(Schema.String))
  })),
  /** Lines of the log that were lost since the start, because they could not be written. */
  logLinesLost: Schema.optional(Schema.Number)
})

/**
 * How the process is, as `StatusHealth` decodes it.
 *
 * @category models
 * @since 0.2.0
 */
export type StatusHealth = typeof StatusHealth.Type

/** The data of the event `snapshot`: everything that the page shows at one moment. */
export const StatusSnapshot = Schema.Struct({
  time: Time,
  phase: Schema.Literals(["serving", "draining", "stopping"]),
  /** Why the relay should get no new clients, as `/readyz` says it. Absent if it is ready. */
  notReady: Schema.optional(Schema.Array(Schema.String)),
  sample: StatusSample,
  /** Octets of output and of parked requests that wait. */
  waiting: Schema.Number,
  trouble: Schema.Array(StatusTrouble),
  health: StatusHealth,
  /** The sessions with the most octets. */
  top: Schema.Array(StatusSession),
  /** Sessions and connections that ended most recently, the latest last. */
  endings: Schema.Array(StatusEvent),
  /** Number of events since the previous snapshot that were too many to be sent. */
  omitted: Schema.Number
})
export type StatusSnapshot = typeof StatusSnapshot.Type

/** The answer to `/status`: constant facts, the current snapshot, and the data of the charts so far. */
export const Status = Schema.Struct({
  version: Schema.String,
  since: Time,
  listeners: Schema.Array(Schema.String),
  /** Milliseconds between two snapshots, and milliseconds that the charts show. */
  interval: Schema.Number,
  window: Schema.Number,
  snapshot: StatusSnapshot,
  samples: StatusSamples,
  /** Recent events, the latest last. */
  events: Schema.Array(StatusEvent)
})
export type Status = typeof Status.Type

/** The answer to `/status/users?name=`: the live sessions of a user, the oldest first, and recent events of the user. */
export const StatusUser = Schema.Struct({
  user: Schema.String,
  total: Schema.Number,
  sessions: Schema.Array(StatusSession),
  history: Schema.Array(StatusEvent)
})
export type StatusUser = typeof StatusUser.Type
