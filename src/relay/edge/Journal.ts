/**
 * Makes events of what happens to connections and sessions, for the log, the history of users, and listeners. docs/log.md
 * describes the messages and their fields.
 */
import type * as Clock from "effect/Clock"
import { monotonicMillis } from "../../clock/Monotonic.ts"
import { printable } from "../../logging/Printable.ts"
import { Kind } from "../../protocol/StartLine.ts"
import { type MsrpUri, targetOf } from "../../protocol/Uri.ts"
import { addressText, type Connection } from "../../transport/Connection.ts"
import { listenerText } from "../../transport/SocketText.ts"
import { transportName } from "../../transport/TransportName.ts"
import type { Loss } from "../Loss.ts"
import type { CameFrom, FailedLogin, HopFacts, Observer, RefusedRequest } from "../Observer.ts"
import type { Dial } from "../rules/Directory.ts"
import { ownerOf, RelayOwner } from "../rules/RelayOwners.ts"
import type { Session, SessionEnd } from "../Session.ts"
import type { GrantedOn, Parties, SessionRecord } from "../SessionRecord.ts"
import type { EventFields, EventMessage, RelayEvent } from "./RelayEvent.ts"

/** Kinds of failures that the event of a session's end lists, the most frequent first. */
export const KINDS_LISTED = 6

/** The name of an unknown method is left out, because it may be any text. */
const methods: Readonly<Record<Kind, string>> = { 0: "response", 1: "SEND", 2: "REPORT", 3: "AUTH", 4: "another" }

/** An event with what budgets and the history need: its user and address. */
export interface Noted extends RelayEvent {
  /** The user it belongs to; `undefined` for strangers. */
  readonly user: string | undefined
  /** The address of the connection, without port. */
  readonly address: string
}

/** Called with each event, inside the turn in which it happens: it must not throw or wait. */
export type Hear = (event: Noted) => void

interface JournalOptions {
  readonly clock: Clock.Clock
  readonly hear: Hear
  /** Whether events at debug level are wanted: strangers can cause any number of them. */
  readonly isDetailed: () => boolean
}

export class Journal implements Observer {
  readonly #clock: Clock.Clock
  readonly #hear: Hear
  readonly #isDetailed: () => boolean

  /** The relays that connections took this one for, until their end is noted: without it nobody knows which URI is missing. */
  readonly #meant = new WeakMap<HopFacts, string>()

  constructor({ clock, hear, isDetailed }: JournalOptions) {
    this.#clock = clock
    this.#hear = hear
    this.#isDetailed = isDetailed
  }

  // ---- connections

  closed(hop: HopFacts): void {
    const { connection, end, lastSession, octetsIn, octetsOut, since } = hop
    if (connection === undefined) return
    // A peer without a session that closes by itself is a health check or a scan, and no reason for a line at info.
    const isQuiet = lastSession === undefined && end === "closed by its peer"
    this.#note(isQuiet ? "Debug" : "Info", "connection ended", ofHop(hop), {
      party: lastSession === undefined ? undefined : isOwners(hop) ? "owner" : "peer",
      target: this.#meant.get(hop),
      reason: end,
      seconds: this.#secondsSince(since),
      octetsIn,
      octetsOut
    })
  }

  mistaken(hop: HopFacts, meant: MsrpUri): void {
    this.#meant.set(hop, printable(targetOf(meant)))
  }

  // ---- sessions

  granted({ record }: Session, expires: number): void {
    this.#note("Info", "login granted", ofSession(record), { expires })
  }

  loginFailed(hop: HopFacts, { realm, reason, status, username }: FailedLogin): void {
    const user = username === undefined ? undefined : printable(username)
    const whose = { ...ofConnection(hop), user, realm: printable(realm) }
    this.#note("Info", "login failed", whose, { status, reason: printable(reason) })
  }

  bound({ connection, number }: HopFacts, session: SessionRecord): void {
    this.#note("Info", "peer bound", ofSession(session), { peer: addressOf(connection), peerConnection: number })
  }

  ended(session: Session, reason: SessionEnd): void {
    const { record } = session
    const { failures, kinds, received, sent, since } = record
    const owner = ownerOf(session)
    const connectionEnd = reason !== "its connection closed" || owner instanceof RelayOwner ? undefined : owner.end
    this.#note("Info", "session ended", ofSession(record), {
      reason,
      connectionEnd,
      seconds: this.#secondsSince(since),
      sent: sent.requests,
      octetsSent: sent.octets,
      received: received.requests,
      octetsReceived: received.octets,
      failures,
      kinds: kinds === undefined ? undefined : listOf(kinds)
    })
  }

  // ---- requests

  refused(hop: HopFacts, { kind, parties, problem, status, target }: RefusedRequest): void {
    const method = methods[kind]
    const { lastSession } = hop
    // The user is known by the URIs in the request, or else by the connection that it came in on.
    const isOwn = isOwners(hop)
    const sender = parties?.sender ?? (isOwn ? lastSession : undefined)
    const receiver = parties === undefined && !isOwn ? lastSession : parties?.receiver
    const fields = {
      method,
      status,
      target: target === undefined ? undefined : printable(target),
      reason: problem
    }
    const what = `${method} ${status}${problem === undefined ? "" : ` ${problem}`}`
    if (sender === undefined && receiver === undefined) {
      this.#note("Debug", "request refused", ofConnection(hop), fields)
    } else this.#ofParties("request refused", fromOf(hop), { sender, receiver }, what, fields)
  }

  undelivered(from: CameFrom, parties: Parties, { cause, status }: Loss, kind: Kind): void {
    const method = kind === Kind.Send ? undefined : methods[kind]
    const what = `${method === undefined ? "" : `${method} `}${status} ${cause}`
    this.#ofParties("message not delivered", from, parties, what, { method, status, reason: cause })
  }

  cut(hop: HopFacts, parties: Parties): void {
    const reason = `the connection of its sender: ${hop.end}`
    this.#ofParties("message cut off", fromOf(hop), parties, "cut off", { reason })
  }

  /**
   * One event for each session that it concerns, so that it is found by the name of either user. `from` is the connection of the
   * sender. The first event of a kind (`what`) in a session is at info level and later ones are at debug level; the end of the
   * session says how many there were.
   */
  #ofParties(
    message: EventMessage,
    from: CameFrom,
    { receiver, sender }: Parties,
    what: string,
    fields: EventFields
  ): void {
    if (sender !== undefined) {
      this.#note(sender.failed(`sent ${what}`) ? "Info" : "Debug", message, ofSession(sender), {
        direction: "sent",
        ...asPeer(receiver),
        ...fields
      })
    }
    if (receiver === undefined || receiver === sender) return
    this.#note(receiver.failed(`received ${what}`) ? "Info" : "Debug", message, ofSession(receiver), {
      direction: "received",
      peer: from.remote === undefined ? undefined : addressText(from.remote),
      peerConnection: from.number,
      ...asPeer(sender),
      ...fields
    })
  }

  // ---- dials

  /** A connection to a next hop was made in `millis`. */
  dialled(dial: Dial, hop: HopFacts, millis: number): void {
    const fields = { target: printable(targetOf(dial.uri)), dialled: hop.number, seconds: rounded(millis) }
    this.#note("Info", "dial succeeded", ofSession(dial.session), fields)
  }

  undialled({ session, uri }: Dial, reason: string, millis: number): void {
    this.#note("Info", "dial failed", ofSession(session), {
      target: printable(targetOf(uri)),
      reason: printable(reason),
      seconds: rounded(millis)
    })
  }

  // ----

  #secondsSince(since: number): number {
    return rounded(monotonicMillis(this.#clock) - since)
  }

  #note(level: RelayEvent["level"], message: EventMessage, whose: Whose, more: EventFields): void {
    if (level === "Debug" && !this.#isDetailed()) return
    const { address, user } = whose
    const fields: Record<string, string | number | boolean> = {}
    take(fields, whose)
    take(fields, more)
    this.#hear({ time: this.#clock.currentTimeMillisUnsafe(), level, message, fields, user, address })
  }
}

/** Copies the fields that are known. No intermediate objects, because each login and each end makes an event. */
const take = (fields: Record<string, string | number | boolean>, from: EventFields): void => {
  for (const name in from) {
    const value = from[name]
    if (value !== undefined && name !== "address") fields[name] = value
  }
}

/** Milliseconds as seconds, with three decimals. */
const rounded = (millis: number): number => Math.round(millis) / 1000

interface Whose extends EventFields {
  /** Without port: the budget of lines is for each address. */
  readonly address: string
}

export const addressOf = (connection: Connection | undefined): string | undefined =>
  connection === undefined ? undefined : addressText(connection.remote)

const ofOne = ({ number, remote, secure, socket, transport }: GrantedOn) => ({
  connection: number,
  session: undefined as string | undefined,
  user: undefined as string | undefined,
  realm: undefined as string | undefined,
  remote: addressText(remote),
  transport: transportName({ secure, transport }),
  listener: socket === undefined ? undefined : listenerText(socket),
  address: remote.host
})

const whose = ({ label, realm, user }: SessionRecord) => ({
  session: label,
  user: printable(user),
  realm: printable(realm)
})

/** The fields of a session, with the connection that it was granted on. */
const ofSession = (session: SessionRecord): Whose => ({ ...ofOne(session.on), ...whose(session) })

const fromOf = ({ connection, number }: HopFacts): CameFrom => ({ number, remote: connection?.remote })

const nowhere = { host: "?", port: 0 }

const ofConnection = ({ connection, number }: HopFacts) =>
  ofOne({
    number,
    remote: connection?.remote ?? nowhere,
    secure: connection?.secure ?? false,
    transport: connection?.transport ?? "tcp",
    // A connection that the relay made has no listener.
    socket: connection?.inbound === true ? connection.socket : undefined
  })

/** The fields of a connection, with those of its session if it has one. */
const ofHop = (hop: HopFacts): Whose => ({
  ...ofConnection(hop),
  ...(hop.lastSession === undefined ? {} : whose(hop.lastSession))
})

/** Whether its session was granted on it, so that it is the connection of the owner. */
const isOwners = ({ lastSession, number }: HopFacts): boolean => lastSession?.on.number === number

/** The fields of the other side, if that has a session here as well. */
const asPeer = (session: SessionRecord | undefined): EventFields =>
  session === undefined ? {} : { peerUser: printable(session.user), peerSession: session.label }

/** A list like `sent 413 its receiver refused it: 2, received cut off: 1`. */
const listOf = (kinds: ReadonlyMap<string, number>): string => {
  const all = Array.from(kinds).toSorted(([, a], [, b]) => b - a)
  const rest = all.length - KINDS_LISTED
  const first = all.slice(0, KINDS_LISTED).map(([kind, times]) => `${kind}: ${times}`).join(", ")
  return rest > 0 ? `${first}, and ${rest} others` : first
}
