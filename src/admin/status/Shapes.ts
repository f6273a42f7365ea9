/**
 * What the status page is told, as JSON. Nothing secret is in it: no session URI, no password, no body. The page takes only
 * types from here.
 */
import * as Schema from "effect/Schema"
import { transportNames } from "../../transport/TransportName.ts"

/** Milliseconds since 1970. */
const Time = Schema.Number

/** Something that happened: a `RelayEvent`. */
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

/**
 * What the charts show, in columns of the same length, the latest last. Rates are per second since the value before; a value
 * that was not known is null.
 */
const Column = Schema.Array(Schema.NullOr(Schema.Number))
export const StatusSamples = Schema.Struct({
  time: Schema.Array(Time),
  sessions: Column,
  connections: Column,
  /** SENDs that came in, and that went out, per second; a chunk is one. */
  messagesIn: Column,
  messagesOut: Column,
  /** Octets from and to all connections, per second. */
  octetsIn: Column,
  octetsOut: Column,
  /** Milliseconds by which the event loop was late: 99th percentile. */
  loopDelay: Column,
  /** Milliseconds that the backend of users took: 99th percentile. */
  backendDelay: Column
})
export type StatusSamples = typeof StatusSamples.Type

/** One moment of them. */
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

/** What went wrong, counted: since the relay started, and in the time that the charts show. */
export const StatusTrouble = Schema.Struct({
  kind: Schema.String,
  total: Schema.Number,
  lately: Schema.Number
})
export type StatusTrouble = typeof StatusTrouble.Type

/** Milliseconds. */
const Delays = { p50: Schema.Number, p99: Schema.Number }

export const StatusHealth = Schema.Struct({
  /** How late the event loop was in the last interval. */
  loop: Schema.Struct({ ...Delays, max: Schema.Number }),
  /** Octets: the heap that is used, its limit, and all memory of the process. */
  heap: Schema.Struct({ used: Schema.Number, limit: Schema.Number, resident: Schema.Number }),
  /** Open descriptors, and how many the system allows. */
  descriptors: Schema.optional(Schema.Struct({ open: Schema.Number, limit: Schema.Number })),
  certificates: Schema.optional(Schema.Array(Schema.Struct({ names: Schema.Array(Schema.String), notAfter: Time }))),
  /** The backend of users: how long it took in the last interval, if it was asked, and failures since the start. */
  backend: Schema.optional(Schema.Struct({
    p50: Schema.optional(Schema.Number),
    p99: Schema.optional(Schema.Number),
    errors: Schema.Number
  }))
})
export type StatusHealth = typeof StatusHealth.Type

/** The event `snapshot`: all that is shown at one moment. */
export const StatusSnapshot = Schema.Struct({
  time: Time,
  phase: Schema.Literals(["serving", "draining", "stopping"]),
  sample: StatusSample,
  /** Octets of output and of parked requests that wait. */
  waiting: Schema.Number,
  trouble: Schema.Array(StatusTrouble),
  health: StatusHealth,
  /** The sessions with most octets. */
  top: Schema.Array(StatusSession),
  /** The last sessions and connections that ended, the latest last. */
  endings: Schema.Array(StatusEvent),
  /** Events since the snapshot before that were too many to be sent. */
  omitted: Schema.Number
})
export type StatusSnapshot = typeof StatusSnapshot.Type

/** What `/status` answers: what does not change, the snapshot of now, and the charts until now. */
export const Status = Schema.Struct({
  version: Schema.String,
  since: Time,
  listeners: Schema.Array(Schema.String),
  /** Milliseconds between two snapshots, and the time that charts show. */
  interval: Schema.Number,
  window: Schema.Number,
  snapshot: StatusSnapshot,
  samples: StatusSamples,
  /** What happened lately, the latest last. */
  events: Schema.Array(StatusEvent)
})
export type Status = typeof Status.Type

/** What `/status/users?name=` answers: the live sessions of a user (the oldest first), and what happened to him lately. */
export const StatusUser = Schema.Struct({
  user: Schema.String,
  total: Schema.Number,
  sessions: Schema.Array(StatusSession),
  history: Schema.Array(StatusEvent)
})
export type StatusUser = typeof StatusUser.Type
