/**
 * Sessions that other relays obtained for clients behind them (RFC 4976 §6.3). Each belongs to the name of its relay and is valid
 * on any connection with it, so it ends with none of them, but some time after the last has closed.
 */
import { LinkedMap } from "../../collections/LinkedMap.ts"
import { hostName } from "../../net/Hosts.ts"
import type { MsrpUri } from "../../protocol/Uri.ts"
import { isOver, type Session } from "../Session.ts"
import type { Shared } from "../Shared.ts"
import { stopTimer, Timed } from "../Timers.ts"
import type { Party } from "./Party.ts"

/** Sessions that are checked for ended ones: for each new session, and when the limit is reached. */
const CHECKS = 4
const CHECKS_WHEN_FULL = 64

/** Another relay that obtained session URIs for clients behind it. Its timer runs while it has no connection. */
export class RelayOwner extends Timed {
  readonly name: string
  /** Its connections, including those that are being dialled. */
  readonly links = new Set<Party>()
  /** Its sessions, each with the session-id of the URI of this relay that its AUTH came through, if that had one. */
  readonly #sessions = new LinkedMap<Session, string | undefined>()
  readonly #ended: (owner: RelayOwner) => void

  constructor(host: string, ended: (owner: RelayOwner) => void) {
    super()
    this.name = hostName(host)
    this.#ended = ended
  }

  is(host: string): boolean {
    return this.name === hostName(host)
  }

  owns(session: Session, through: MsrpUri): void {
    this.#sessions.set(session, through.sessionId)
  }

  /**
   * Whether this URI leads to the client that obtained the session (RFC 4976 §6.4). A sender to that client knows the session too,
   * and may be behind the same relay. A URI without session-id in the AUTH stands for all clients of the relay.
   */
  reachesClientOf(session: Session, uri: MsrpUri): boolean {
    const through = this.#sessions.get(session)
    return this.is(uri.host) && (through === undefined || through === uri.sessionId)
  }

  /** Whether it has fewer sessions than this. Each call also removes some that have ended. */
  hasRoom(limit: number, now: number): boolean {
    const checks = this.#sessions.size < limit ? CHECKS : CHECKS_WHEN_FULL
    for (let i = 0; i < checks; i++) {
      const session = this.#sessions.first?.key
      if (session === undefined) break
      if (isOver(session, now)) this.#sessions.delete(session)
      else this.#sessions.touch(session)
    }
    return this.#sessions.size < limit
  }

  /** Whether any of its sessions is valid. */
  hasAny(now: number): boolean {
    for (const session of this.sessions()) if (!isOver(session, now)) return true
    return false
  }

  get isConnected(): boolean {
    for (const { connection } of this.links) if (connection !== undefined) return true
    return false
  }

  /** All of its sessions. */
  *sessions(): Generator<Session> {
    for (const { key } of this.#sessions) yield key
  }

  override expired(): void {
    if (!this.isConnected) this.#ended(this)
  }
}

/** The connection that a session was granted on, or the relay that obtained it for a client behind it. */
export const ownerOf = ({ owner }: Session): Party | RelayOwner => owner as Party | RelayOwner

export class RelayOwners {
  readonly #shared: Shared
  readonly #end: (session: Session) => void
  readonly #owners = new Map<string, RelayOwner>()
  /** The relays at the other end of each connection: a certificate may be for several names. */
  readonly #of = new WeakMap<Party, Set<RelayOwner>>()

  /** `end` ends a session. */
  constructor(shared: Shared, end: (session: Session) => void) {
    this.#shared = shared
    this.#end = end
  }

  /** How many relays have, or lately had, sessions or connections. */
  get size(): number {
    return this.#owners.size
  }

  /** The relay of that name, which is added if it is not known. */
  of(host: string): RelayOwner {
    const name = hostName(host)
    let owner = this.#owners.get(name)
    if (owner === undefined) this.#owners.set(name, owner = new RelayOwner(name, (one) => this.#over(one)))
    return owner
  }

  /** The relay has this connection, or it is being dialled. */
  linked(owner: RelayOwner, hop: Party): void {
    // A dial that fails must not keep sessions alive.
    if (hop.connection !== undefined) stopTimer(owner)
    owner.links.add(hop)
    const same = this.#of.get(hop)
    if (same === undefined) this.#of.set(hop, new Set([owner]))
    else same.add(owner)
  }

  /** The connection leads to this URI: it is one of the relay that owns the session, if a relay does and the URI names it. */
  leads(hop: Party, { owner }: Session, uri: MsrpUri): void {
    if (owner instanceof RelayOwner && owner.is(uri.host)) this.linked(owner, hop)
  }

  /** A session was made for a client behind this URI of the relay. It ends at once if the relay was given up meanwhile. */
  owns(owner: RelayOwner, session: Session, through: MsrpUri): void {
    if (this.#owners.get(owner.name) === owner) owner.owns(session, through)
    else this.#end(session)
  }

  /** A connection is gone. */
  left(hop: Party): void {
    for (const owner of this.#of.get(hop) ?? []) {
      owner.links.delete(hop)
      if (owner.isRunning || owner.isConnected) continue
      if (this.#shared.phase !== "stopping" && owner.hasAny(this.#shared.turn.now)) {
        this.#shared.limits.relayGone.start(owner)
      } else this.#forget(owner)
    }
  }

  /** The relay stops, which ends all sessions: none waits for another relay to come again. */
  stop(): void {
    for (const owner of this.#owners.values()) {
      stopTimer(owner)
      if (!owner.isConnected) this.#forget(owner)
    }
  }

  #forget(owner: RelayOwner): void {
    if (this.#owners.get(owner.name) === owner) this.#owners.delete(owner.name)
  }

  #over(owner: RelayOwner): void {
    this.#forget(owner)
    this.#shared.tasks.slices(owner.sessions(), this.#end)
  }
}
