/**
 * The data of the status page, made once for all open pages. A page starts with `/status`, and then reads server-sent events:
 * a `snapshot` in each interval, and an `event` for each thing that happened in it.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { encoder } from "effect/encoding/Sse"
import type * as Scope from "effect/Scope"
import type { Readable } from "node:stream"
import { dateOf, monotonicMillis } from "../clock/Monotonic.ts"
import type { RelayGauges } from "../Relay.ts"
import type { RelayCounters } from "../relay/Counters.ts"
import type { Operator, Phase } from "../relay/edge/Operator.ts"
import type { RelayEvent } from "../relay/edge/RelayEvent.ts"
import type { TransportFacts } from "../transport/TransportFacts.ts"
import type { Health } from "./Health.ts"
import { EventQueue } from "./status/EventQueue.ts"
import { OpenPages } from "./status/OpenPages.ts"
import { readCounters } from "./status/Readings.ts"
import type { Status, StatusSnapshot, StatusUser } from "./status/Shapes.ts"
import { makeThrottled } from "./status/Throttled.ts"
import { Window } from "./status/Window.ts"

export type {
  Status,
  StatusEvent,
  StatusHealth,
  StatusSample,
  StatusSession,
  StatusSnapshot,
  StatusUser
} from "./status/Shapes.ts"

/** Milliseconds between two snapshots. */
const INTERVAL = 2000

/** Milliseconds for which samples are kept. */
const WINDOW = 900_000

/** Sessions with the most octets in a snapshot. */
const TOP = 10

/** Sessions and connections that ended most recently, in a snapshot. */
const ENDINGS = 20

/** Live sessions listed for one user. */
const USER_SESSIONS = 50

/** Most recent events listed for one user. */
const USER_EVENTS = 200

/** Most recent events that a page starts with. */
const RECENT_EVENTS = 30

/**
 * The parts of a relay that a status feed reads.
 *
 * @category models
 * @since 0.2.0
 */
export interface StatusParts {
  readonly version: string
  /** Listening sockets in the form that the log uses: `msrps://host:port`. */
  readonly listeners: ReadonlyArray<string>
  readonly phase: () => Phase
  /** Why the relay should get no new clients; empty if it is ready. Absent: this is not known. */
  readonly notReady?: (() => ReadonlyArray<string>) | undefined
  readonly counters: Readonly<RelayCounters>
  readonly gauges: () => RelayGauges
  readonly operator: Operator
  readonly health: Health
  /** Counts of the transport. Absent: it does not count. */
  readonly transportFacts?: TransportFacts | undefined
}

/**
 * The source of data for all open status pages.
 *
 * @category models
 * @since 0.2.0
 */
export interface StatusFeed {
  readonly status: Effect.Effect<Status>
  readonly user: (name: string) => Effect.Effect<StatusUser>
  /** Opens a page: a stream of server-sent events, which ends when it is destroyed. `undefined` if there are too many pages. */
  readonly open: Effect.Effect<Readable | undefined>
}

/**
 * Makes the feed of a relay's status pages; it ends with the scope.
 *
 * @category constructors
 * @since 0.2.0
 */
export const make = Effect.fnUntraced(function*(
  { counters, gauges, health, listeners, notReady = () => [], operator, phase, transportFacts, version }: StatusParts
): Effect.fn.Return<StatusFeed, never, Scope.Scope> {
  const clock = yield* Clock.Clock
  const since = monotonicMillis(clock)
  const window = new Window(WINDOW / INTERVAL)
  const queue = new EventQueue()
  const pages = new OpenPages(() => void queue.take())
  const recent: Array<RelayEvent> = []
  let latest: { readonly snapshot: StatusSnapshot; readonly at: number } | undefined
  let healthNow = health()

  const sample = (): void => {
    const { connections, sessions } = gauges()
    healthNow = health()
    window.add(monotonicMillis(clock), {
      time: clock.currentTimeMillisUnsafe(),
      sessions,
      connections,
      loopDelay: healthNow.loop.p99,
      backendDelay: healthNow.backend?.p99 ?? null
    }, readCounters(counters, transportFacts))
  }

  // Sorting looks at all sessions.
  const topSessions = yield* makeThrottled(
    clock,
    Effect.map(operator.inTurns.sessions({ sort: "octets", limit: TOP }), ({ items }) => items)
  )

  // Each interval has one snapshot, however many pages ask for it.
  const snapshotNow = (): StatusSnapshot | undefined =>
    latest !== undefined && monotonicMillis(clock) - latest.at < INTERVAL ? latest.snapshot : undefined

  const snapshot = Effect.gen(function*() {
    const before = snapshotNow()
    if (before !== undefined) return before
    const top = yield* topSessions
    const others = snapshotNow()
    if (others !== undefined) return others
    const reasons = notReady()
    const made: StatusSnapshot = {
      time: clock.currentTimeMillisUnsafe(),
      phase: phase(),
      ...(reasons.length === 0 ? {} : { notReady: reasons }),
      sample: window.latest!,
      waiting: gauges().bufferedOctets,
      trouble: window.trouble(),
      health: healthNow,
      top,
      endings: operator.recent().slice(-ENDINGS),
      omitted: queue.omitted
    }
    latest = { snapshot: made, at: monotonicMillis(clock) }
    return made
  })

  // Events arrive inside a turn of the relay, so they are only stored; pages get them with the next snapshot.
  const unlisten = operator.listen((event) => {
    if (event.level === "Debug") return
    recent.push(event)
    if (recent.length > RECENT_EVENTS) recent.shift()
    if (pages.size > 0) queue.add(event)
  })

  const tick = Effect.gen(function*() {
    sample()
    latest = undefined
    if (pages.size === 0) return
    const now = sse("snapshot", yield* snapshot)
    pages.send(queue.take().map((event) => sse("event", event)).join("") + now)
  })

  sample()
  yield* tick.pipe(Effect.delay(INTERVAL), Effect.forever, Effect.forkScoped)
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      unlisten()
      pages.end()
    })
  )

  return {
    status: Effect.map(snapshot, (now) => ({
      version,
      since: dateOf(clock, since),
      listeners,
      interval: INTERVAL,
      window: WINDOW,
      snapshot: now,
      samples: window.samples(),
      events: [...recent]
    })),
    user: (name) =>
      Effect.map(
        operator.inTurns.sessions({ user: name, sort: "age", limit: USER_SESSIONS }),
        ({ items, total }) => ({
          user: name,
          total,
          sessions: items,
          history: operator.history(name).slice(-USER_EVENTS)
        })
      ),
    open: Effect.map(snapshot, (now) => pages.open(sse("snapshot", now)))
  }
})

/** One server-sent event. */
const sse = (event: "snapshot" | "event", data: unknown): string =>
  encoder.write({ _tag: "Event", id: undefined, event, data: JSON.stringify(data) })
