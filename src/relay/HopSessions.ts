import { isOver, type Session } from "./Session.ts"
import type { SessionRecord } from "./SessionRecord.ts"

/** The number of sessions of a peer above which those that have ended are removed. */
const MAX_PEER_OF = 1024

/** The valid sessions of one connection. */
export class HopSessions {
  /** Sessions that were granted on the connection. */
  readonly #owned = new Set<Session>()
  /** Sessions of others in which the connection is the peer; those that have ended are removed now and then. */
  #peerOf: Set<Session> | undefined
  #peerOfMax = MAX_PEER_OF
  /** The session that was granted here last, else the one in which the connection became the peer last; none once there were two users. */
  lastSession: SessionRecord | undefined
  #isOwner = false
  /** Whether there were several users: the peer is a gateway, or a chat switch. */
  severalUsers = false
  /** Called with each further session that was granted. Set by `Reading`. */
  onMore: (sessions: ReadonlyArray<Session>) => void = () => {}

  /** The number of valid sessions that were granted on the connection. */
  owned(now: number): number {
    for (const one of this.#owned) if (isOver(one, now)) this.#owned.delete(one)
    return this.#owned.size
  }

  /** Sessions that were granted on the connection; some may have ended. */
  granted(): Iterable<Session> {
    return this.#owned
  }

  owns(session: Session): void {
    this.#owned.add(session)
    if (!this.#isOwner) {
      this.#isOwner = true
      this.severalUsers = false
      this.lastSession = undefined
    }
    this.#noteUser(session.record)
    this.onMore([session])
  }

  /** A gateway logs in many users on one connection, and a chat switch writes to many; neither is one of these users. */
  #noteUser(record: SessionRecord): void {
    const { lastSession } = this
    this.severalUsers ||= lastSession !== undefined &&
      (lastSession.user !== record.user || lastSession.realm !== record.realm)
    this.lastSession = this.severalUsers ? undefined : record
  }

  becomesPeerOf(session: Session): void {
    const peerOf = this.#peerOf ??= new Set()
    peerOf.add(session)
    if (!this.#isOwner) this.#noteUser(session.record)
    if (peerOf.size <= this.#peerOfMax) return
    for (const one of peerOf) if (one.ended) peerOf.delete(one)
    this.#peerOfMax = Math.max(MAX_PEER_OF, 2 * peerOf.size)
  }

  /** Whether there is a valid session of either kind. */
  anyValid(now: number): boolean {
    return anyOf(this.#owned, now, () => true) || anyOf(this.#peerOf, now, () => true)
  }

  /** Whether there is a valid session of either kind other than these: the owner's session of a route, and that of its receiver. */
  anyWithout(sessions: ReadonlyArray<Session>, now: number): boolean {
    return anyOf(this.#owned, now, (one) => one !== sessions[0]) ||
      anyOf(this.#peerOf, now, (one) => !sessions.includes(one))
  }
}

const anyOf = (sessions: Set<Session> | undefined, now: number, is: (session: Session) => boolean): boolean => {
  if (sessions === undefined) return false
  for (const session of sessions) {
    if (isOver(session, now)) sessions.delete(session)
    else if (is(session)) return true
  }
  return false
}
