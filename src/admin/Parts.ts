/** What the admin API needs besides the relay's `Operator`: whoever mounts it plugs these in. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import type * as HttpServerResponse from "effect/http/HttpServerResponse"
import type * as Stream from "effect/Stream"
import type { RelayCounters } from "../relay/Counters.ts"
import type { Operator } from "../relay/edge/Operator.ts"
import type {
  LogLevelName,
  PhaseState,
  Reloaded,
  SettingInForce,
  TraceLine,
  TraceQuery,
  UsersUnavailable
} from "./Model.ts"
import { NotAvailable } from "./Problems.ts"

/**
 * What the admin API shows and does besides what the relay's `Operator` has.
 *
 * @category services
 * @since 0.2.0
 */
export interface AdminPartsShape {
  readonly version: string
  readonly operator: Operator
  readonly counters: Readonly<Pick<RelayCounters, RatedCounter>>
  /** How much there is now: connections, sessions, and octets that wait. */
  readonly gauges: () => { readonly connections: number; readonly sessions: number; readonly bufferedOctets: number }
  /** How much there may be; `Infinity` for no limit. */
  readonly limits: { readonly connections: number; readonly sessions: number }
  readonly phase: Effect.Effect<PhaseState>
  /** The backend of users, where it could not tell who somebody is the last time. Absent: nobody knows. */
  readonly usersUnavailable?: (() => UsersUnavailable | undefined) | undefined
  readonly settings: Effect.Effect<ReadonlyArray<SettingInForce>>
  readonly drain: Effect.Effect<PhaseState, NotAvailable>
  readonly undrain: Effect.Effect<PhaseState, NotAvailable>
  readonly logLevel: Effect.Effect<LogLevelName, NotAvailable>
  readonly setLogLevel: (level: LogLevelName) => Effect.Effect<void, NotAvailable>
  readonly reload: Effect.Effect<Reloaded, NotAvailable>
  /** Prometheus' text. */
  readonly metrics: Effect.Effect<string, NotAvailable>
  /** Lines as they come, until the stream is interrupted or `seconds` are over. It drops lines rather than keep them all. */
  readonly trace: (query: TraceQuery) => Effect.Effect<Stream.Stream<TraceLine>, NotAvailable>
  /** What is at `/` and below `/status`, by its path; undefined when nothing is there. Asked after the checks. */
  readonly page: (
    path: string
  ) => Effect.Effect<
    HttpServerResponse.HttpServerResponse | undefined,
    NotAvailable,
    HttpServerRequest.HttpServerRequest
  >
}

/** Counters that are told per second. */
export const ratedCounters = [
  "framesIn",
  "octetsIn",
  "forwarded",
  "refused",
  "authsGranted",
  "failedAuths",
  "undecidedAuths"
] as const satisfies ReadonlyArray<keyof RelayCounters>

export type RatedCounter = typeof ratedCounters[number]

/**
 * The relay and the program, as the admin API sees them.
 *
 * @category services
 * @since 0.2.0
 */
export class AdminParts extends Context.Service<AdminParts, AdminPartsShape>()("msrp-relay/AdminParts") {}

/**
 * The answer of a part that is not there; `what` fits behind "without".
 *
 * @category errors
 * @since 0.2.0
 */
export const notAvailable = (what: string): NotAvailable =>
  new NotAvailable({ detail: `This relay runs without ${what}` })
