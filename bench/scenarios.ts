/**
 * The scenarios. Each runs against a newly started relay, over TCP and over TLS, or by WebSocket over either.
 */
export const transports = ["tcp", "tls", "ws", "wss"] as const
export type Transport = (typeof transports)[number]

export const hasTls = (transport: Transport): boolean => transport === "tls" || transport === "wss"
export const isWebSocket = (transport: Transport): boolean => transport === "ws" || transport === "wss"

/** An MSRP URI; `authority` may end with a session-id. */
export const uriOf = (transport: Transport, authority: string): string =>
  `${hasTls(transport) ? "msrps" : "msrp"}://${authority};${isWebSocket(transport) ? "ws" : "tcp"}`

/** Messages in existing sessions: one end of each pair is authenticated at the relay, the other one is its peer. */
export interface MessageScenario {
  readonly kind: "messages"
  readonly name: string
  readonly pairs: number
  /** Octets of a message's body; every message is one chunk. */
  readonly size: number
  /** Messages under way in each direction of a pair, counted until they arrive at the far end. */
  readonly window: number
  readonly body: "text" | "binary"
}

/** Connect, AUTH, challenge, AUTH, 200 and close, repeatedly. */
export interface AuthScenario {
  readonly kind: "auth"
  readonly name: string
  readonly concurrency: number
}

/** Authenticated sessions that are idle, each on a connection of its own. */
export interface IdleScenario {
  readonly kind: "idle"
  readonly name: string
  readonly sessions: number
}

export type Scenario = MessageScenario | AuthScenario | IdleScenario

export const scenarios: ReadonlyArray<Scenario> = [
  { kind: "messages", name: "small-batched", pairs: 4, size: 300, window: 64, body: "text" },
  { kind: "messages", name: "small-single", pairs: 100, size: 300, window: 1, body: "text" },
  { kind: "messages", name: "8k", pairs: 4, size: 8192, window: 16, body: "text" },
  { kind: "messages", name: "60k", pairs: 4, size: 60_000, window: 4, body: "text" },
  { kind: "messages", name: "1m", pairs: 4, size: 1_048_576, window: 2, body: "binary" },
  { kind: "auth", name: "auth", concurrency: 32 },
  { kind: "idle", name: "idle", sessions: 5000 }
]

/** The description of a scenario for the table. */
export const describe = (scenario: Scenario): string => {
  if (scenario.kind === "messages") {
    return `${scenario.pairs} pairs, both ways, ${scenario.size} octets, window ${scenario.window}`
  }
  return scenario.kind === "auth"
    ? `connect, AUTH, close; ${scenario.concurrency} at a time`
    : `${scenario.sessions} idle sessions`
}
