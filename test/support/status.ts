/** A relay that is only told of, for tests of the status page: its numbers change each time that somebody looks. */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Effect from "effect/Effect"
import * as HttpServer from "effect/http/HttpServer"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { createServer } from "node:http"
import type { HealthSources } from "../../src/admin/Health.ts"
import { makeHealth } from "../../src/admin/Health.ts"
import type * as StatusFeed from "../../src/admin/StatusFeed.ts"
import * as StatusPage from "../../src/admin/StatusPage.ts"
import { zeroCounters } from "../../src/relay/Counters.ts"
import type { Operator, Phase, SessionSummary } from "../../src/relay/edge/Operator.ts"
import type { EventFields, RelayEvent } from "../../src/relay/edge/RelayEvent.ts"
import { inTurns } from "./operator.ts"

export const HOSTILE = "<img src=x onerror=\"document.title='taken'\">"

const DAY = 86_400_000

const names = ["alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy"]

export class FakeRelay {
  readonly counters = zeroCounters()
  readonly #live: Array<SessionSummary>
  readonly #listeners = new Set<(event: RelayEvent) => void>()
  readonly #now: number
  #looks = 0
  /** How often all sessions were sorted. */
  sorted = 0
  phase: Phase = "serving"
  /** Why the backend of users cannot be queried. */
  down: string | undefined
  outdated: string | undefined
  unusable: ReadonlyArray<string> = []
  notReady: ReadonlyArray<string> = []
  /** Whether the second certificate has ended. */
  expired = false
  logLinesLost = 0

  constructor(sessions = 100, now = Date.now()) {
    this.#now = now
    this.#live = Array.from({ length: sessions }, (_, at) => this.#session(at, now))
  }

  #session(at: number, now: number): SessionSummary {
    const name = names[at % names.length]!
    return {
      session: (0x1a2b3c4d5e00 + at * 7919).toString(16),
      user: at === 3 ? HOSTILE : at < names.length ? name : `${name}.${at}`,
      realm: "relay.example",
      connection: at + 1,
      remote: `198.51.100.${at % 200 + 1}:${40_000 + at * 13}`,
      transport: at % 5 === 0 ? "tcp" : "tls",
      listener: "msrps://relay.example:2855",
      since: now - (at + 1) * 97_000,
      expires: now + DAY,
      peer: at % 9 === 4 ? undefined : `203.0.113.${at % 150 + 1}:2855`,
      sent: { requests: 40 + at * 3, octets: Math.round(9e8 / (at + 1.5)) },
      received: { requests: 30 + at * 2, octets: Math.round(6e8 / (at + 2)) },
      failures: at % 17 === 2 ? 3 : 0
    }
  }

  readonly gauges = () => {
    const look = ++this.#looks
    const wave = Math.sin(look / 9) + Math.sin(look / 23) / 2 + 2
    this.counters.refused += Math.round(20 * wave)
    this.counters.framesIn += Math.round(420 * wave)
    this.counters.sendsOut += Math.round(400 * wave)
    this.counters.octetsIn += Math.round(2_600_000 * wave)
    this.counters.octetsOut += Math.round(2_500_000 * wave)
    if (look % 7 === 0) {
      this.counters.failedAuths++
      this.counters.refused481++
    }
    if (look % 20 === 0) this.counters.dialsFailed++
    return {
      connections: this.#live.length + 12 + look % 5,
      sessions: this.#live.length + Math.round(6 * Math.sin(look / 12)),
      transactions: 3,
      timers: 1,
      bufferedOctets: 18_432,
      parkedOctets: 0
    }
  }

  happens(message: RelayEvent["message"], fields: EventFields, level: RelayEvent["level"] = "Info"): void {
    for (const listener of this.#listeners) listener({ time: Date.now(), level, message, fields })
  }

  get heard(): number {
    return this.#listeners.size
  }

  readonly #operator: Omit<Operator, "inTurns"> = {
    sessions: ({ limit = 100, offset = 0, sort, user } = {}) => {
      const found = this.#live.filter((one) => user === undefined || one.user === user)
      if (sort === "octets") {
        this.sorted++
        found.sort((a, b) => b.sent.octets + b.received.octets - a.sent.octets - a.received.octets)
      }
      return { total: found.length, items: found.slice(offset, offset + limit) }
    },
    connections: () => ({ total: 0, items: [] }),
    endSession: () => false,
    endConnection: () => false,
    endUser: () => 0,
    history: (user) => this.#history(user),
    recent: () => this.#recent(),
    listen: (listener) => {
      this.#listeners.add(listener)
      return () => this.#listeners.delete(listener)
    }
  }
  readonly operator: Operator = { ...this.#operator, inTurns: inTurns(this.#operator) }

  #event(minutes: number, message: RelayEvent["message"], fields: EventFields): RelayEvent {
    return { time: this.#now - minutes * 60_000, level: "Info", message, fields }
  }

  #history(user: string): ReadonlyArray<RelayEvent> {
    if (!names.includes(user) && user !== HOSTILE) return []
    const whose = {
      user,
      realm: "relay.example",
      remote: "198.51.100.1:40000",
      transport: "tls" as const,
      session: "1a2b3c4d5e00"
    }
    return [
      this.#event(190, "login failed", {
        ...whose,
        session: undefined,
        status: 401,
        reason: "wrong credentials",
        times: 3
      }),
      this.#event(188, "login granted", { ...whose, expires: 1800 }),
      this.#event(187, "peer bound", { ...whose, peer: "203.0.113.9:2855" }),
      this.#event(160, "message not delivered", {
        ...whose,
        status: 408,
        reason: "no answer in time",
        direction: "sent"
      }),
      this.#event(158, "session ended", {
        ...whose,
        reason: "its connection closed",
        connectionEnd: "takes no octets",
        seconds: 1795,
        sent: 12,
        octetsSent: 48_211,
        received: 40,
        octetsReceived: 1_204_881,
        failures: 1,
        kinds: "REPORT 408: 1"
      }),
      this.#event(42, "dial failed", {
        ...whose,
        target: "msrps://chat.example.net:2855",
        reason: "nobody listens there"
      }),
      this.#event(2, "login granted", { ...whose, expires: 1800 })
    ]
  }

  #recent(): ReadonlyArray<RelayEvent> {
    const reasons = ["its connection closed", "expired", "its connection closed", "ended by the operator"]
    return Array.from({ length: 30 }, (_, at) => {
      const left = 30 - at
      const connection = left % 4 === 3 ? "failed: ECONNRESET" : "closed by its peer"
      return this.#event(left * 1.7, "session ended", {
        user: left === 2 ? HOSTILE : names[left % names.length],
        realm: "relay.example",
        remote: `198.51.100.${left + 20}:${41_000 + left}`,
        session: (0x9f0012ab3400 + left * 4111).toString(16),
        reason: reasons[left % 4],
        connectionEnd: left % 2 === 0 ? undefined : connection,
        seconds: left * 71.3,
        octetsSent: left * 40_961,
        octetsReceived: left * 18_211,
        failures: left % 9 === 0 ? 2 : 0,
        kinds: left % 9 === 0 ? "REPORT 408: 2" : undefined
      })
    })
  }

  get sources(): HealthSources {
    return {
      certificates: () => [
        { names: ["relay.example", "chat.example"], notAfter: this.#now + 61.5 * DAY },
        { names: ["old.relay.example"], notAfter: this.#now + (this.expired ? -1 : 9.5) * DAY }
      ],
      logLinesLost: () => this.logLinesLost,
      backend: () => ({
        p50: 3.1,
        p99: 12 + 5 * Math.sin(this.#looks / 5),
        errors: 2,
        ...(this.down === undefined ? {} : { down: { since: this.#now - DAY, reason: this.down } }),
        unusable: this.unusable,
        ...(this.outdated === undefined ? {} : { outdated: { since: this.#now - DAY, reason: this.outdated } })
      })
    }
  }
}

/** The parts that the relay gives the feed. */
export const partsOf = (relay: FakeRelay): Effect.Effect<StatusFeed.StatusParts, never, Scope.Scope> =>
  Effect.map(makeHealth(relay.sources), (health) => ({
    version: "1.4.0",
    listeners: ["msrps://relay.example:2855", "msrp://127.0.0.1:2856"],
    phase: () => relay.phase,
    notReady: () => relay.notReady,
    counters: relay.counters,
    gauges: relay.gauges,
    operator: relay.operator,
    health
  }))

/** Serves the page of this feed; with a token, as the admin listener does it. */
export const serveStatus = (feed: StatusFeed.StatusFeed, options: {
  readonly bundle: URL
  readonly port?: number
  readonly token?: string
  /** The path that it is mounted at, such as `/relay`. */
  readonly at?: string
}) =>
  Effect.gen(function*() {
    const { at = "" } = options
    const page = yield* StatusPage.make(feed, options.bundle)
    const app = Effect.gen(function*() {
      const request = yield* HttpServerRequest.HttpServerRequest
      const { headers } = request
      if (!request.url.startsWith(at)) return HttpServerResponse.empty({ status: 404 })
      const url = request.url.slice(at.length) || "/"
      const isOpen = options.token === undefined || url === "/" ||
        headers["authorization"] === `Bearer ${options.token}`
      if (!isOpen) return HttpServerResponse.empty({ status: 401 })
      return (yield* page.respond(request.method, url) ?? Effect.undefined) ?? HttpServerResponse.empty({ status: 404 })
    })
    const server = Layer.effectDiscard(HttpServer.serveEffect(app)).pipe(
      Layer.provideMerge(
        NodeHttpServer.layer(() => createServer(), {
          port: options.port ?? 0,
          host: "127.0.0.1",
          gracefulShutdownTimeout: 0
        })
      )
    )
    const context = yield* Layer.build(server)
    const { address } = yield* Effect.provide(HttpServer.HttpServer, context)
    return "port" in address ? address.port : 0
  })
