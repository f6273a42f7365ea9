import type { Session } from "./Session.ts"
import type { SessionRecord } from "./SessionRecord.ts"

/** Sessions in which a connection is the peer, before it is looked which of them have ended. */
const MAX_PEER_OF = 1024

/** The sessions of one connection, as far as they are still valid. */
export class HopSessions {
  /** Those that were handed out on it. */
  readonly #owned = new Set<Session>()
  /** Those of others in which it is the peer; what has ended is taken out now and then. */
  readonly #peerOf = new Set<Session>()
  #peerOfMax = MAX_PEER_OF
  /** The one that was handed out on it last, else the one in which it was the peer last; nothing once it had two users. */
  party: SessionRecord | undefined
  #isOwner = false
  /** More than one user: it is a gateway, or a chat switch. */
  severalUsers = false
  onMore: () => void = () => {}

  /** How many were handed out on it and are valid now. */
  owned(now: number): number {
    for (const one of this.#owned) if (one.ended || one.expiresAt <= now) this.#owned.delete(one)
    return this.#owned.size
  }

  /** Those that were handed out on it, as far as they are known still; some may be over. */
  handedOut(): Iterable<Session> {
    return this.#owned
  }

  owns(session: Session): void {
    this.#owned.add(session)
    if (!this.#isOwner) {
      this.#isOwner = true
      this.severalUsers = false
      this.party = undefined
    }
    this.#is(session.record)
    this.onMore()
  }

  /** A gateway logs in many users on one connection, and a chat switch writes to many: neither is one of them. */
  #is(record: SessionRecord): void {
    const { party } = this
    this.severalUsers ||= party !== undefined && (party.user !== record.user || party.realm !== record.realm)
    this.party = this.severalUsers ? undefined : record
  }

  isPeerOf(session: Session): void {
    this.#peerOf.add(session)
    if (!this.#isOwner) this.#is(session.record)
    if (this.#peerOf.size <= this.#peerOfMax) return
    for (const one of this.#peerOf) if (one.ended) this.#peerOf.delete(one)
    this.#peerOfMax = Math.max(MAX_PEER_OF, 2 * this.#peerOf.size)
  }

  /** Is one of either kind valid. */
  anyValid(now: number): boolean {
    return anyOf(this.#owned, now, () => true) || anyOf(this.#peerOf, now, () => true)
  }

  /** Is one of either kind valid that is another one. The second of a route is that of whom its owner writes to. */
  anyWithout(sessions: ReadonlyArray<Session>, now: number): boolean {
    return anyOf(this.#owned, now, (one) => one !== sessions[0]) ||
      anyOf(this.#peerOf, now, (one) => !sessions.includes(one))
  }
}

const anyOf = (sessions: Set<Session>, now: number, is: (session: Session) => boolean): boolean => {
  for (const session of sessions) {
    if (session.ended || session.expiresAt <= now) sessions.delete(session)
    else if (is(session)) return true
  }
  return false
}
