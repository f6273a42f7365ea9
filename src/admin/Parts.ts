/** The parts of the relay and the program that the admin API needs; the program that mounts the API provides them. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import type * as HttpServerResponse from "effect/http/HttpServerResponse"
import type * as Stream from "effect/Stream"
import type { RelayCounters } from "../relay/Counters.ts"
import type { Operator } from "../relay/edge/Operator.ts"
import type { RelayMemory } from "../relay/Gauges.ts"
import type {
  CertificateInUse,
  LogLevelName,
  PhaseState,
  Reloaded,
  SettingInForce,
  TraceLine,
  TraceQuery,
  UsersBackend
} from "./Model.ts"
import { NotAvailable } from "./Problems.ts"

/**
 * The relay's `Operator`, and everything else that the admin API shows and does.
 *
 * @category services
 * @since 0.2.0
 */
export interface AdminPartsShape {
  readonly version: string
  readonly operator: Operator
  readonly counters: Readonly<Pick<RelayCounters, RatedCounter>>
  /** Current numbers of connections and sessions, and of octets that wait to be sent. */
  readonly gauges: () => { readonly connections: number; readonly sessions: number; readonly bufferedOctets: number }
  /** Buffers of the relay that are used again. Absent: this is not known. */
  readonly memory?: (() => RelayMemory) | undefined
  /** Maximum numbers of connections and sessions; `Infinity` for no limit. */
  readonly limits: { readonly connections: number; readonly sessions: number }
  /** Why no connection can be accepted now, in words; `undefined` if they can be. Absent: this is not known. */
  readonly acceptFault?: (() => string | undefined) | undefined
  readonly phase: Effect.Effect<PhaseState>
  /** The backends of users, and what is wrong with them. Absent: this is not known. */
  readonly users?: (() => ReadonlyArray<UsersBackend>) | undefined
  /** The relay's own certificates in use. Absent: they are not known. */
  readonly certificates?: (() => ReadonlyArray<CertificateInUse>) | undefined
  /** Lines of the log that were lost since the start, because they could not be written. Absent: this is not known. */
  readonly logLinesLost?: (() => number) | undefined
  readonly settings: Effect.Effect<ReadonlyArray<SettingInForce>>
  readonly drain: Effect.Effect<PhaseState, NotAvailable>
  readonly undrain: Effect.Effect<PhaseState, NotAvailable>
  readonly logLevel: Effect.Effect<LogLevelName, NotAvailable>
  readonly setLogLevel: (level: LogLevelName) => Effect.Effect<void, NotAvailable>
  readonly reload: Effect.Effect<Reloaded, NotAvailable>
  /** Metrics in the text format of Prometheus. */
  readonly metrics: Effect.Effect<string, NotAvailable>
  /** Traces until the stream is interrupted or `seconds` have passed. Lines are dropped if they are not read fast enough. */
  readonly trace: (query: TraceQuery) => Effect.Effect<Stream.Stream<TraceLine>, NotAvailable>
  /** The response for `/` or a path below `/status`; `undefined` if there is none. Called after the checks of the request. */
  readonly page: (
    path: string
  ) => Effect.Effect<
    HttpServerResponse.HttpServerResponse | undefined,
    NotAvailable,
    HttpServerRequest.HttpServerRequest
  >
}

/** Counters that the overview shows as rates per second. */
export const ratedCounters = [
  "framesIn",
  "octetsIn",
  "forwarded",
  "refused",
  "authsGranted",
  "failedAuths",
  "undecidedAuths"
] as const satisfies ReadonlyArray<keyof RelayCounters>

/**
 * A counter that the admin API shows per second too.
 *
 * @category models
 * @since 0.2.0
 */
export type RatedCounter = typeof ratedCounters[number]

/**
 * The relay and the program, as the admin API sees them.
 *
 * @category services
 * @since 0.2.0
 */
export class AdminParts extends Context.Service<AdminParts, AdminPartsShape>()("msrp-relay/AdminParts") {}

/**
 * The error of a part that this program does not have; `what` completes the sentence "This relay runs without ...".
 *
 * @category errors
 * @since 0.2.0
 */
export const notAvailable = (what: string): NotAvailable =>
  new NotAvailable({ detail: `This relay runs without ${what}` })
