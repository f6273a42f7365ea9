/**
 * Sessions that other relays obtained for clients behind them (RFC 4976 §6.3): each belongs to the name of its relay and is
 * valid on any connection with it, so it does not end with one. It ends some time after the last.
 */
import { LinkedMap } from "../../collections/LinkedMap.ts"
import type { MsrpUri } from "../../protocol/Uri.ts"
import type { Session } from "../Session.ts"
import type { Shared } from "../Shared.ts"
import { stopTimer, Timed } from "../Timers.ts"
import type { Party } from "./Party.ts"
import { relayName } from "./Peers.ts"

/** Sessions that are looked at for some that are over: for each new one, and when there are as many as there may be. */
const LOOKS = 4
const LOOKS_WHEN_FULL = 64

/** A relay that obtained session URIs on behalf of clients behind it. */
export class RelayOwner extends Timed {
  readonly name: string
  /** Connections with it, also those that are being made. */
  readonly links = new Set<Party>()
  /** With the session-id of its own URI that each was obtained through. */
  readonly #sessions = new LinkedMap<Session, string | undefined>()
  readonly #ended: (owner: RelayOwner) => void

  constructor(host: string, ended: (owner: RelayOwner) => void) {
    super()
    this.name = relayName(host)
    this.#ended = ended
  }

  is(host: string): boolean {
    return this.name === relayName(host)
  }

  owns(session: Session, through: MsrpUri): void {
    this.#sessions.set(session, through.sessionId)
  }

  /**
   * Does this URI of it lead to the client that obtained the session (RFC 4976 §6.4): whoever writes to him knows the session, and
   * may be behind the same relay. One that has shown none of a client's vouches for them all.
   */
  isWayOf(session: Session, uri: MsrpUri): boolean {
    const through = this.#sessions.get(session)
    return this.is(uri.host) && (through === undefined || through === uri.sessionId)
  }

  /** Whether there are fewer sessions than this; some that are over are found at each look. */
  hasRoom(limit: number, now: number): boolean {
    const looks = this.#sessions.size < limit ? LOOKS : LOOKS_WHEN_FULL
    for (let i = 0; i < looks; i++) {
      const session = this.#sessions.first?.key
      if (session === undefined) break
      if (session.ended || session.expiresAt <= now) this.#sessions.delete(session)
      else this.#sessions.touch(session)
    }
    return this.#sessions.size < limit
  }

  /** Whether one of its sessions is valid; those in front that are not are forgotten. */
  hasAny(now: number): boolean {
    for (const { key: session } of this.#sessions) {
      if (!session.ended && session.expiresAt > now) return true
      this.#sessions.delete(session)
    }
    return false
  }

  get isConnected(): boolean {
    for (const { connection, gone } of this.links) if (connection !== undefined && !gone) return true
    return false
  }

  /** All that it has, for them to be ended. */
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
  /** Of each connection, the relays that it is one with: a certificate may be for several names. */
  readonly #of = new Map<Party, Set<RelayOwner>>()

  /** `end` ends a session. */
  constructor(shared: Shared, end: (session: Session) => void) {
    this.#shared = shared
    this.#end = end
  }

  /** Relays that have, or lately had, sessions or connections. */
  get size(): number {
    return this.#owners.size
  }

  /** The relay of that name, for a session that it obtains. */
  of(host: string): RelayOwner {
    const name = relayName(host)
    let owner = this.#owners.get(name)
    if (owner === undefined) this.#owners.set(name, owner = new RelayOwner(name, (one) => this.#over(one)))
    return owner
  }

  /** There is a connection with it, or one is being made. */
  linked(owner: RelayOwner, hop: Party): void {
    // One that never comes about must not keep sessions alive.
    if (hop.connection !== undefined) stopTimer(owner)
    if (owner.links.has(hop)) return
    owner.links.add(hop)
    const same = this.#of.get(hop)
    if (same === undefined) this.#of.set(hop, new Set([owner]))
    else same.add(owner)
  }

  /** Requests to the owner of a session, at this URI, go by that connection; the owner may be a relay. */
  leads(hop: Party, { owner }: Session, uri: MsrpUri): void {
    if (owner instanceof RelayOwner && owner.is(uri.host)) this.linked(owner, hop)
  }

  /** A session was made for it, whose client is behind this URI of it. It ends at once if the relay has gone for too long meanwhile. */
  owns(owner: RelayOwner, session: Session, through: MsrpUri): void {
    if (this.#owners.get(owner.name) === owner) owner.owns(session, through)
    else this.#end(session)
  }

  /** A connection is gone. */
  left(hop: Party): void {
    const owners = this.#of.get(hop)
    if (owners === undefined) return
    this.#of.delete(hop)
    for (const owner of owners) {
      owner.links.delete(hop)
      if (owner.queue !== undefined || owner.isConnected) continue
      if (owner.hasAny(this.#shared.turn.now)) this.#shared.limits.relayGone.start(owner)
      else this.#forget(owner)
    }
  }

  #forget(owner: RelayOwner): void {
    if (this.#owners.get(owner.name) === owner) this.#owners.delete(owner.name)
  }

  #over(owner: RelayOwner): void {
    this.#forget(owner)
    this.#shared.turn.slices(owner.sessions(), this.#end)
  }
}
