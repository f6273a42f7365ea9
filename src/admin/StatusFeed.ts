/**
 * What the status page shows, made once for all pages that are open: `/status` for a page that begins, then server-sent
 * events: `snapshot` in every interval, and `event` for what happened in it.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { encoder } from "effect/encoding/Sse"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import { Readable } from "node:stream"
import { dateOf, monotonicMillis } from "../clock/Monotonic.ts"
import type { RelayGauges } from "../Relay.ts"
import type { RelayCounters } from "../relay/Counters.ts"
import type { Operator, Phase } from "../relay/edge/Operator.ts"
import type { RelayEvent } from "../relay/edge/RelayEvent.ts"
import type { Health } from "./Health.ts"
import { readCounters } from "./status/Readings.ts"
import type { Status, StatusSnapshot, StatusUser } from "./status/Shapes.ts"
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

/** Milliseconds between two snapshots, and for which samples are kept. */
const INTERVAL = 2000
const WINDOW = 900_000

/** Pages that are open at the same time. */
export const MAX_PAGES = 64
/** Octets that wait for one page. One that is so far behind is dropped: it comes back and begins anew. */
export const MAX_BEHIND = 1_048_576
/** Events that are sent in one interval; of more there is the number. */
export const MAX_EVENTS = 100
/** Of each kind in a snapshot, and in what is told of a user. */
const TOP = 10
const ENDINGS = 20
const USER_SESSIONS = 50
const USER_EVENTS = 200
/** What a page that is opened now is told of what happened before. */
const LATELY = 30

/** Of the time there is, looking at all sessions may take one part in so many, other turns in between included. */
const SORT_SHARE = 20

/**
 * What a feed reads of a relay.
 *
 * @category models
 * @since 0.2.0
 */
export interface StatusParts {
  readonly version: string
  /** As the log has them: `msrps://host:port`. */
  readonly listeners: ReadonlyArray<string>
  readonly phase: () => Phase
  readonly counters: Readonly<RelayCounters>
  readonly gauges: () => RelayGauges
  readonly operator: Operator
  readonly health: Health
}

/**
 * What all status pages that are open read.
 *
 * @category models
 * @since 0.2.0
 */
export interface StatusFeed {
  readonly status: Effect.Effect<Status>
  readonly user: (name: string) => Effect.Effect<StatusUser>
  /** The server-sent events of one page, until it is destroyed; `undefined` when there are `MAX_PAGES`. */
  readonly open: Effect.Effect<Readable | undefined>
}

/**
 * Makes the feed of a relay's status pages; it ends with the scope.
 *
 * @category constructors
 * @since 0.2.0
 */
export const make = Effect.fnUntraced(function*(
  { counters, gauges, health, listeners, operator, phase, version }: StatusParts
): Effect.fn.Return<StatusFeed, never, Scope.Scope> {
  const clock = yield* Clock.Clock
  const since = monotonicMillis(clock)
  const window = new Window(WINDOW / INTERVAL)
  const pages = new Set<Readable>()
  const events: Array<RelayEvent> = []
  const lately: Array<RelayEvent> = []
  let omitted = 0
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
    }, readCounters(counters))
  }

  const most = yield* seldom(
    clock,
    Effect.map(operator.inTurns.sessions({ sort: "octets", limit: TOP }), ({ items }) => items)
  )

  // One is made for all who look in this interval, however many ask.
  const snapshotNow = (): StatusSnapshot | undefined =>
    latest !== undefined && monotonicMillis(clock) - latest.at < INTERVAL ? latest.snapshot : undefined

  const snapshot = Effect.gen(function*() {
    const before = snapshotNow()
    if (before !== undefined) return before
    const top = yield* most
    const others = snapshotNow()
    if (others !== undefined) return others
    const made: StatusSnapshot = {
      time: clock.currentTimeMillisUnsafe(),
      phase: phase(),
      sample: window.latest!,
      waiting: gauges().bufferedOctets,
      trouble: window.trouble(),
      health: healthNow,
      top,
      endings: operator.recent().slice(-ENDINGS),
      omitted
    }
    latest = { snapshot: made, at: monotonicMillis(clock) }
    return made
  })

  // What happens is told inside a turn of the relay, so it is only kept; who looks gets it with the next snapshot.
  const unlisten = operator.listen((event) => {
    if (event.level === "Debug") return
    lately.push(event)
    if (lately.length > LATELY) lately.shift()
    if (pages.size === 0) return
    if (events.length < MAX_EVENTS) events.push(event)
    else omitted++
  })
  const left = (page: Readable): void => {
    pages.delete(page)
    if (pages.size > 0) return
    events.length = 0
    omitted = 0
  }

  const send = (page: Readable, octets: Buffer): void => {
    if (page.readableLength > MAX_BEHIND) page.destroy()
    else page.push(octets)
  }

  const tick = Effect.gen(function*() {
    sample()
    latest = undefined
    if (pages.size === 0) return
    const now = sse("snapshot", yield* snapshot)
    const octets = Buffer.from(events.map((event) => sse("event", event)).join("") + now)
    events.length = 0
    omitted = 0
    for (const page of pages) send(page, octets)
  })

  sample()
  yield* tick.pipe(Effect.delay(INTERVAL), Effect.forever, Effect.forkScoped)
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      unlisten()
      for (const page of pages) page.push(null)
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
      events: [...lately]
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
    open: Effect.map(snapshot, (now) => {
      if (pages.size >= MAX_PAGES) return undefined
      const page: Readable = new Readable({
        read: () => {},
        destroy: (error, done) => {
          left(page)
          done(error)
        }
      })
      pages.add(page)
      page.push(sse("snapshot", now))
      return page
    })
  }
})

/** One server-sent event. */
const sse = (event: "snapshot" | "event", data: unknown): string =>
  encoder.write({ _tag: "Event", id: undefined, event, data: JSON.stringify(data) })

/** What takes long for many sessions is made again after twenty times as long, so that relaying goes on. */
const seldom = <A>(clock: Clock.Clock, make: Effect.Effect<A>): Effect.Effect<Effect.Effect<A>> =>
  Effect.map(Semaphore.make(1), (one) => {
    let made: { readonly value: A; readonly until: number } | undefined
    return one.withPermit(Effect.gen(function*() {
      const before = monotonicMillis(clock)
      if (made !== undefined && before < made.until) return made.value
      const value = yield* make
      const after = monotonicMillis(clock)
      made = { value, until: after + (after - before) * SORT_SHARE }
      return value
    }))
  })
