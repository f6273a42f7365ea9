/** A relay with very many sessions, as the admin API sees it, without the relay. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { AdminPartsShape, LogLevelName, PhaseState } from "../../src/Admin.ts"
import { notAvailable } from "../../src/Admin.ts"
import { zeroCounters } from "../../src/relay/Counters.ts"
import type { ConnectionSummary, Operator, Page, SessionQuery, SessionSummary } from "../../src/relay/edge/Operator.ts"
import type { RelayEvent } from "../../src/relay/edge/RelayEvent.ts"
import { inTurns } from "./operator.ts"

const BEGIN = 1_790_000_000_000

const labelOf = (i: number): string => i.toString(16).padStart(12, "0")

const session = (i: number): SessionSummary => ({
  session: labelOf(i),
  user: `user${i % 1000}`,
  realm: i % 2 === 0 ? "example.com" : "example.org",
  connection: i,
  remote: `198.51.100.${i % 200}:${10_000 + i % 50_000}`,
  transport: i % 3 === 0 ? "tcp" : "tls",
  listener: "msrps://relay.example.com:2855",
  since: BEGIN + i * 1000,
  expires: BEGIN + i * 1000 + 1_800_000,
  peer: i % 4 === 0 ? undefined : "203.0.113.9:40000",
  sent: { requests: i % 17, octets: (i * 7919) % 1_000_003 },
  received: { requests: i % 13, octets: (i * 104_729) % 50_000_017 },
  failures: i % 5
})

const connection = (i: number): ConnectionSummary => ({
  connection: i,
  remote: `198.51.100.${i % 200}:${10_000 + i % 50_000}`,
  transport: i % 3 === 0 ? "tcp" : "tls",
  listener: i % 10 === 0 ? undefined : "msrps://relay.example.com:2855",
  relay: i % 10 === 0,
  user: i % 10 === 0 ? undefined : `user${i % 1000}`,
  realm: i % 10 === 0 ? undefined : "example.com",
  severalUsers: i % 10 === 0,
  since: BEGIN + i * 1000,
  sessions: 1,
  octetsIn: (i * 7919) % 1_000_003,
  octetsOut: (i * 104_729) % 50_000_017,
  waiting: i % 7 === 0 ? 2048 : 0
})

const octetsOf = ({ received, sent }: SessionSummary): number => sent.octets + received.octets

const pageOf = <A>(
  all: ReadonlyArray<A>,
  { limit = 100, offset = 0 }: Pick<SessionQuery, "limit" | "offset">
): Page<A> => ({
  total: all.length,
  items: all.slice(offset, offset + limit)
})

const addressOf = (remote: string | undefined): string | undefined => remote?.replace(/:\d+$/, "")

/** So many sessions, each on a connection of its own. */
export const fakeOperator = (count: number): Operator => {
  const sessions = new Map(Array.from({ length: count }, (_, i) => [labelOf(i), session(i)]))
  const connections = new Map(Array.from({ length: count }, (_, i) => [i, connection(i)]))
  const event = (i: number): RelayEvent => ({
    time: BEGIN + i * 1000,
    level: i % 2 === 0 ? "Info" : "Warn",
    message: i % 2 === 0 ? "session ended" : "login failed",
    fields: { session: labelOf(i), user: `user${i % 1000}`, realm: "example.com", peer: undefined, reason: "expired" }
  })
  const operator: Omit<Operator, "inTurns"> = {
    sessions: (query = {}) => {
      const fit = [...sessions.values()].filter(({ peer, realm, remote, user }) =>
        (query.user === undefined || query.user === user) && (query.realm === undefined || query.realm === realm) &&
        (query.address === undefined || [addressOf(remote), addressOf(peer)].includes(query.address))
      )
      return pageOf(query.sort === "octets" ? fit.sort((a, b) => octetsOf(b) - octetsOf(a)) : fit, query)
    },
    connections: (query = {}) => {
      const fit = [...connections.values()].filter(({ remote }) =>
        query.address === undefined || query.address === addressOf(remote)
      )
      return pageOf(query.sort === "waiting" ? fit.sort((a, b) => b.waiting - a.waiting) : fit, query)
    },
    endSession: (label) => sessions.delete(label),
    endConnection: (number) => connections.delete(number),
    endUser: (user, realm) => {
      const ended = [...sessions.values()].filter((one) =>
        one.user === user && (realm === undefined || one.realm === realm)
      )
      for (const { session } of ended) sessions.delete(session)
      return ended.length
    },
    history: (user) => user === "user7" ? [event(7), event(1007)] : [],
    recent: () => [event(1), event(2), event(3)],
    listen: () => () => {}
  }
  return { ...operator, inTurns: inTurns(operator) }
}

/** The parts around such a relay, some of them replaced. */
export const fakeParts = (
  { count = 10, ...changed }: Partial<AdminPartsShape> & { readonly count?: number } = {}
): AdminPartsShape => {
  let phase: PhaseState = { phase: "serving", since: BEGIN }
  let level: LogLevelName = "info"
  const become = (next: PhaseState["phase"]) =>
    Effect.sync(() => {
      phase = { phase: next, since: BEGIN + 60_000 }
      return phase
    })
  return {
    version: "0.1.0",
    operator: fakeOperator(count),
    counters: zeroCounters(),
    gauges: () => ({ connections: count, sessions: count, bufferedOctets: 4096 }),
    limits: { connections: 100_000, sessions: Infinity },
    phase: Effect.sync(() => phase),
    settings: Effect.succeed([
      { name: "MSRP_LISTEN", value: "msrp:127.0.0.1:2855", set: true, secret: false },
      { name: "MSRP_USERS", set: true, secret: true }
    ]),
    drain: become("draining"),
    undrain: become("serving"),
    logLevel: Effect.sync(() => level),
    setLogLevel: (next) => Effect.sync(() => void (level = next)),
    reload: Effect.succeed({
      changed: ["MSRP_USERS"],
      needsRestart: ["MSRP_LISTEN"],
      problems: [],
      warnings: ["MSRP_LISTEN is odd"]
    }),
    metrics: Effect.succeed("# TYPE msrp_sessions gauge\nmsrp_sessions 10\n"),
    trace: ({ user }) => Effect.succeed(Stream.make({ user: user ?? null, method: "SEND" })),
    page: () => Effect.fail(notAvailable("a status page")),
    ...changed
  }
}
