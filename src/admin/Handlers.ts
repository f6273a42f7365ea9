/** The handlers of the endpoints: they call the relay's `Operator` and the `AdminParts`, and log every change. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Record from "effect/Record"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import { printable } from "../logging/Printable.ts"
import type { Page } from "../relay/edge/Operator.ts"
import type { RelayEvent } from "../relay/edge/RelayEvent.ts"
import { MAX_TRACES } from "../relay/edge/Trace.ts"
import { askerOf } from "./Access.ts"
import { AdminApi } from "./Api.ts"
import type { Overview, TraceLine } from "./Model.ts"
import { AdminParts, type AdminPartsShape } from "./Parts.ts"
import { NotFound, Unavailable } from "./Problems.ts"
import { makeRates } from "./Rates.ts"
import { makeLoopDelay, reasonsNotReady } from "./Readiness.ts"

/** Time between two heartbeats of a trace. They detect clients that vanished, and keep proxies from timing out. */
const HEARTBEAT = "15 seconds"

/** Logs a change and its origin. Texts from the request are made printable, because they could imitate lines of the log. */
const tell = (what: string, fields: Readonly<Record<string, string | number>> = {}) =>
  Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) => {
    const told = Record.map(fields, (value) => typeof value === "string" ? printable(value) : value)
    return Effect.annotateLogs(Effect.logInfo(`admin: ${what}`), { ...told, remote: askerOf(request) })
  })

/**
 * A JSON response, in which undefined fields are absent. Values of `Operator` have the right types (`Contract` in Model), and
 * are not validated again: for a thousand sessions that takes longer than finding them.
 */
const json = (make: () => unknown) => Effect.sync(() => HttpServerResponse.jsonUnsafe(make()))

const page = <A>({ items, total }: Page<A>) => json(() => ({ total, items }))

const events = (items: ReadonlyArray<RelayEvent>) =>
  json(() => ({ items: items.map(({ fields, level, message, time }) => ({ time, level, message, fields })) }))

const bounded = (limit: number): number | undefined => Number.isFinite(limit) ? limit : undefined

const memoryOf = ({ memory }: AdminPartsShape): Overview["memory"] => {
  const { arrayBuffers, heapTotal, heapUsed, rss } = process.memoryUsage()
  return { resident: rss, heapUsed, heapReserved: heapTotal, buffers: arrayBuffers, ...memory?.() }
}

const health = HttpApiBuilder.group(
  AdminApi,
  "health",
  Effect.fnUntraced(function*(handlers) {
    const parts = yield* AdminParts
    const loopDelay = yield* makeLoopDelay
    return handlers.handleAll({
      healthz: () => Effect.succeed({ status: "ok" as const }),
      readyz: Effect.fnUntraced(function*() {
        const reasons = reasonsNotReady(yield* parts.phase, parts, loopDelay())
        if (reasons.length > 0) return yield* new Unavailable({ detail: reasons.join("; "), reasons })
        return { status: "ready" as const }
      })
    })
  })
)

const seeing = HttpApiBuilder.group(
  AdminApi,
  "seeing",
  Effect.fnUntraced(function*(handlers) {
    const parts = yield* AdminParts
    const { operator, version } = parts
    const rates = yield* makeRates(parts.counters)
    const loopDelay = yield* makeLoopDelay
    return handlers.handleAll({
      version: () => Effect.succeed({ version, node: process.versions.node }),
      overview: Effect.fnUntraced(function*() {
        const state = yield* parts.phase
        const { phase, since } = state
        const now = yield* Clock.currentTimeMillis
        const reasons = reasonsNotReady(state, parts, loopDelay())
        return yield* json((): Overview => ({
          version,
          phase,
          since,
          started: Math.round(now - process.uptime() * 1000),
          now,
          notReady: reasons.length === 0 ? undefined : reasons,
          maxConnections: bounded(parts.limits.connections),
          maxSessions: bounded(parts.limits.sessions),
          ...parts.gauges(),
          memory: memoryOf(parts),
          users: parts.users?.(),
          certificates: parts.certificates?.(),
          logLinesLost: parts.logLinesLost?.(),
          eventLoopDelay: loopDelay(),
          rates: rates()
        }))
      }),
      config: () => Effect.map(parts.settings, (settings) => ({ settings })),
      sessions: ({ query }) => Effect.flatMap(operator.inTurns.sessions(query), page),
      connections: ({ query }) => Effect.flatMap(operator.inTurns.connections(query), page),
      history: ({ params }) => Effect.suspend(() => events(operator.history(params.user))),
      recent: () => Effect.suspend(() => events(operator.recent())),
      metrics: () => parts.metrics
    })
  })
)

const following = HttpApiBuilder.group(
  AdminApi,
  "following",
  Effect.fnUntraced(function*(handlers) {
    const { trace } = yield* AdminParts
    const permits = yield* Semaphore.make(MAX_TRACES)
    /** Takes a permit until the response is over, or refuses the trace. */
    const permitted = Effect.acquireRelease(
      Effect.flatMap(permits.takeIfAvailable(1), (isTaken) =>
        isTaken
          ? Effect.void
          : Effect.fail(new Unavailable({ detail: `There are ${MAX_TRACES} traces, which is the limit` }))),
      () => permits.release(1)
    )
    return handlers.handleAll({
      trace: Effect.fnUntraced(function*({ query }) {
        yield* permitted
        const lines = yield* trace(query)
        yield* tell("trace begins")
        return HttpServerResponse.stream(Stream.encodeText(withHeartbeat(lines)), {
          contentType: "application/x-ndjson"
        })
      })
    })
  })
)

/** Adds heartbeats. The first one comes at once, so that the client knows that the trace is running. */
const withHeartbeat = (lines: Stream.Stream<TraceLine>): Stream.Stream<string> =>
  Stream.merge(
    Stream.map(lines, (line) => `${JSON.stringify(line)}\n`),
    Stream.map(Stream.tick(HEARTBEAT), () => "\n"),
    { haltStrategy: "left" }
  )

const steering = HttpApiBuilder.group(
  AdminApi,
  "steering",
  Effect.fnUntraced(function*(handlers) {
    const { operator, ...parts } = yield* AdminParts
    return handlers.handleAll({
      endSession: Effect.fnUntraced(function*({ params: { label } }) {
        if (!operator.endSession(label)) return yield* new NotFound({ detail: `There is no session ${label}` })
        yield* tell("session ended", { session: label })
        return { ended: 1 }
      }),
      endConnection: Effect.fnUntraced(function*({ params: { number } }) {
        if (!operator.endConnection(number)) return yield* new NotFound({ detail: `There is no connection ${number}` })
        yield* tell("connection closed", { connection: number })
        return { ended: 1 }
      }),
      // Uninterruptible, because it takes many turns: it is completed and logged even if the client has left.
      endUser: Effect.fnUntraced(function*({ params: { user }, query: { realm } }) {
        const ended = yield* operator.inTurns.endUser(user, realm)
        yield* tell("sessions of a user ended", { user, ...realm === undefined ? {} : { realm }, sessions: ended })
        return { ended }
      }, Effect.uninterruptible),
      drain: () => Effect.tap(parts.drain, () => tell("drain")),
      undrain: () =>
        Effect.tap(parts.undrain, ({ phase }) => phase === "serving" ? tell("drain is over") : Effect.void),
      logLevel: () => Effect.map(parts.logLevel, (level) => ({ level })),
      setLogLevel: Effect.fnUntraced(function*({ payload: { level } }) {
        yield* parts.setLogLevel(level)
        yield* tell("log level", { level })
        return { level }
      }),
      reload: () => Effect.uninterruptible(Effect.tap(parts.reload, () => tell("reload")))
    })
  })
)

/** The handlers of all groups of endpoints. */
export const layerHandlers = Layer.mergeAll(health, seeing, following, steering)
