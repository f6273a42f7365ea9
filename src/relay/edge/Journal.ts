/**
 * What happens to connections and sessions, as events: for the log, for the history of a user, and for whoever listens. The
 * messages with their fields are those of docs/log.md.
 */
import type * as Clock from "effect/Clock"
import { monotonicMillis } from "../../clock/Monotonic.ts"
import type { Kind } from "../../protocol/StartLine.ts"
import { canonicalHost } from "../../protocol/Uri.ts"
import type { Connection, LocalSocket } from "../../transport/Connection.ts"
import type { Closing } from "../Closing.ts"
import type { Loss } from "../Loss.ts"
import type { FailedLogin, HopFacts, Observer, RefusedRequest } from "../Observer.ts"
import type { Dial } from "../rules/Directory.ts"
import type { Session, SessionEnd } from "../Session.ts"
import type { GrantedOn, SessionRecord } from "../SessionRecord.ts"
import type { EventFields, EventMessage, RelayEvent } from "./RelayEvent.ts"

/** Characters of what a client says of itself. */
const TOLD = 100

/** A method that the relay does not know may be anything. */
const methods: Readonly<Record<Kind, string>> = { 0: "response", 1: "SEND", 2: "REPORT", 3: "AUTH", 4: "another" }

/** Whose an event is, for budgets and for the history. */
export interface Noted extends RelayEvent {
  /** Whose doing it is; absent for strangers. */
  readonly user: string | undefined
  /** The address of the connection, without port. */
  readonly address: string
}

/** Hears each event, at once: it does not throw, and does not wait. */
export type Hear = (event: Noted) => void

export class Journal implements Observer {
  readonly #clock: Clock.Clock
  readonly #hear: Hear
  /** When each connection began: milliseconds of the monotonic clock. */
  readonly #since = new WeakMap<HopFacts, number>()

  constructor(clock: Clock.Clock, hear: Hear) {
    this.#clock = clock
    this.#hear = hear
  }

  // ---- connections

  opened(hop: HopFacts): void {
    this.#since.set(hop, this.#now)
  }

  closing(_hop: HopFacts, _reason: Closing): void {}

  closed(hop: HopFacts): void {
    const { connection, end, octetsIn, octetsOut, party } = hop
    if (connection === undefined) return
    const fields = { reason: end, seconds: this.#secondsSince(this.#since.get(hop)), octetsIn, octetsOut }
    // Who is no user and goes of himself is nobody's trouble: a health check, or a scan.
    const isQuiet = party === undefined && end === "closed by its peer"
    this.#note(isQuiet ? "Debug" : "Info", "connection ended", ofHop(hop), fields)
  }

  // ---- sessions

  granted(_hop: HopFacts, { record }: Session, expires: number): void {
    this.#note("Info", "login granted", ofSession(record), { expires })
  }

  loginFailed(hop: HopFacts, { realm, reason, status, username }: FailedLogin): void {
    const user = username === undefined ? undefined : printable(username)
    const whose = { ...ofConnection(hop), session: undefined, user, realm: printable(realm) }
    this.#note("Info", "login failed", whose, { status, reason: printable(reason) })
  }

  bound({ connection, number }: HopFacts, session: SessionRecord): void {
    this.#note("Info", "peer bound", ofSession(session), { peer: addressOf(connection), peerConnection: number })
  }

  ended({ owner, record }: Session, reason: SessionEnd): void {
    const { failures, kinds, received, sent, since } = record
    const connection = reason === "its connection closed" ? (owner as Partial<HopFacts>).end : undefined
    this.#note("Info", "session ended", ofSession(record), {
      reason,
      connectionEnd: connection,
      seconds: this.#secondsSince(since),
      sent: sent.requests,
      octetsSent: sent.octets,
      received: received.requests,
      octetsReceived: received.octets,
      failures,
      kinds: kinds.size === 0 ? undefined : Array.from(kinds, ([kind, times]) => `${kind}: ${times}`).join(", ")
    })
  }

  // ---- requests

  refused(hop: HopFacts, { kind, problem, session = hop.party, status }: RefusedRequest): void {
    const fields = { method: methods[kind], status, reason: problem }
    // Strangers can cause any number of them.
    if (session === undefined) return this.#note("Debug", "request refused", ofHop(hop), fields)
    const isFirst = session.failed(`${methods[kind]} ${status}`)
    this.#note(isFirst ? "Info" : "Debug", "request refused", { ...ofHop(hop), ...whose(session) }, fields)
  }

  undelivered(hop: HopFacts, sessions: ReadonlyArray<SessionRecord>, { cause, status }: Loss): void {
    let isFirst = false
    for (const session of sessions) isFirst = session.failed(`REPORT ${status}`) || isFirst
    const level = isFirst ? "Info" : "Debug"
    this.#ofMessage(level, "message not delivered", hop, sessions, { status, reason: cause })
  }

  cut(hop: HopFacts, sessions: ReadonlyArray<SessionRecord>): void {
    for (const session of sessions) session.failed("cut off")
    this.#ofMessage("Info", "message cut off", hop, sessions, { reason: `the connection of its sender: ${hop.end}` })
  }

  /** `hop`: who sent it. */
  #ofMessage(
    level: RelayEvent["level"],
    message: EventMessage,
    hop: HopFacts,
    [session, receiver]: ReadonlyArray<SessionRecord>,
    fields: EventFields
  ): void {
    const isOwner = session === undefined || session.on.number === hop.number
    this.#note(level, message, session === undefined ? ofHop(hop) : ofSession(session), {
      direction: isOwner ? "sent" : "received",
      peer: isOwner ? undefined : addressOf(hop.connection),
      receiver: receiver?.user,
      receiverSession: receiver?.label,
      ...fields
    })
  }

  // ---- dials

  /** A connection to a next hop is there, after so many milliseconds. */
  dialled(dial: Dial, hop: HopFacts, millis: number): void {
    const fields = { target: targetOf(dial), dialled: hop.number, seconds: millis / 1000 }
    this.#note("Info", "dial succeeded", ofDial(dial), fields)
  }

  undialled(dial: Dial, reason: string, millis: number): void {
    dial.session.failed("dial")
    this.#note("Info", "dial failed", ofDial(dial), {
      target: targetOf(dial),
      reason: printable(reason),
      seconds: millis / 1000
    })
  }

  // ----

  get #now(): number {
    return monotonicMillis(this.#clock)
  }

  #secondsSince(since: number | undefined): number {
    return since === undefined ? 0 : Math.round(this.#now - since) / 1000
  }

  #note(level: RelayEvent["level"], message: EventMessage, whose: Whose, more: EventFields): void {
    const { address, ...named } = whose
    const fields = Object.fromEntries(
      Object.entries({ ...named, ...more }).filter(([, value]) => value !== undefined)
    )
    this.#hear({ time: this.#clock.currentTimeMillisUnsafe(), level, message, fields, user: named.user, address })
  }
}

interface Whose extends EventFields {
  /** Without port, for the budget of lines. */
  readonly address: string
}

/** As an operator writes it: `msrps://[::1]:2855`. */
export const listenerOf = ({ host, port, scheme }: LocalSocket): string => `${scheme}://${canonicalHost(host)}:${port}`

const portOf = ({ host, port }: { readonly host: string; readonly port: number }): string =>
  `${host.includes(":") ? `[${host}]` : host}:${port}`

export const addressOf = (connection: Connection | undefined): string | undefined =>
  connection === undefined ? undefined : portOf(connection.remote)

const ofOne = ({ number, remote, secure, socket }: GrantedOn) => ({
  connection: number,
  session: undefined as string | undefined,
  user: undefined as string | undefined,
  realm: undefined as string | undefined,
  remote: portOf(remote),
  transport: secure ? "tls" as const : "tcp" as const,
  listener: socket === undefined ? undefined : listenerOf(socket),
  address: remote.host
})

const whose = ({ label, realm, user }: SessionRecord) => ({
  session: label,
  user: printable(user),
  realm: printable(realm)
})

/** On the connection that it was granted on. */
const ofSession = (session: SessionRecord): Whose => ({ ...ofOne(session.on), ...whose(session) })

const nowhere = { host: "?", port: 0 }

const ofConnection = ({ connection, number }: HopFacts) =>
  ofOne({
    number,
    remote: connection?.remote ?? nowhere,
    secure: connection?.secure ?? false,
    // One that the relay made came in on no listener.
    socket: connection?.inbound === true ? connection.socket : undefined
  })

/** With whose session it has, if it has one. */
const ofHop = (hop: HopFacts): Whose => ({
  ...ofConnection(hop),
  ...(hop.party === undefined ? {} : whose(hop.party))
})

/** On the connection of who wants it. */
const ofDial = ({ session, source }: Dial): Whose => ({ ...ofConnection(source), ...whose(session) })

const targetOf = ({ uri: { host, port, scheme } }: Dial): string =>
  printable(`${scheme}://${host}${port === undefined ? "" : `:${port}`}`)

/** What anybody may write, without line ends and what a terminal takes for commands (RFC 4975 §14.5). */
const printable = (text: string): string => text.slice(0, TOLD).replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, "\u{fffd}")
