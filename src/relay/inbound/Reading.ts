/**
 * Whether a connection is read. Reasons not to read it: receivers of what it sends are slow, too many of its requests have no
 * answer, its peer does not read its answers, it is faster than a session allows, its share of a turn is used up, or an AUTH is
 * being decided.
 */
import type { Connection } from "../../transport/Connection.ts"
import type { ConnectionLoad } from "../outbound/ConnectionLoad.ts"
import type { Outbox } from "../outbound/Outbox.ts"
import type { ReadControl, WaitingFlow } from "../route/FlowControl.ts"
import type { Shared } from "../Shared.ts"
import { stopTimer, Timeout } from "../Timers.ts"
import { BackPressure } from "./BackPressure.ts"
import { Sharing, type SharingOwner, type UsedRoute } from "./Sharing.ts"
import { Slowdown } from "./Slowdown.ts"

/** The hop whose connection it is. */
export interface ReadingOwner extends SharingOwner {
  /** Answers to what comes in go out there, and requests whose answers come in. */
  readonly outbound: {
    readonly load: Pick<ConnectionLoad, "share">
    readonly outbox: Outbox
    readonly transactions: { readonly isAwaited: boolean }
  }
  /** It is not read now, so answers to requests that went out on it may be unread. */
  held(): void
}

/** Milliseconds within which octets that arrived while the connection was not read have been read. */
const BEHIND = 2000

export class Reading implements ReadControl {
  readonly #shared: Shared
  readonly #owner: ReadingOwner
  readonly #outbox: Outbox
  readonly #load: Pick<ConnectionLoad, "share">
  #connection: Connection | undefined
  /** The number of reasons for not reading, and the number of those that may last (`hold`). */
  #pauses = 0
  #holds = 0
  /** Milliseconds of the monotonic clock when the last hold ended. */
  #heldUntil = -Infinity
  /** Whether one of the holds is that the peer does not read its answers. */
  #outputHold = false
  readonly sharing: Sharing
  readonly flows: BackPressure
  readonly slowdown: Slowdown
  /** Users for which the connection is held as long as no other session uses it. */
  #heldFor: Set<object> | undefined
  /** Runs while the connection is held for such users. */
  #unheard: Timeout | undefined
  /** The number of reasons for not even processing what was read (`stop`). Each is a reason for not reading, too. */
  #stops = 0
  /** Called when what was read already may be processed. Set by `Inbound`, which has the decoder. */
  onGo: () => void = () => {}

  constructor(shared: Shared, owner: ReadingOwner) {
    this.#shared = shared
    this.#owner = owner
    this.#outbox = owner.outbound.outbox
    this.#load = owner.outbound.load
    this.sharing = new Sharing(shared, owner)
    this.flows = new BackPressure(shared, this, this.sharing)
    this.slowdown = new Slowdown(shared, this)
    // A client may add thousands of routes of one session, and each search for others goes through all of them.
    owner.routes.onMore = owner.sessions.onMore = (sessions) => {
      if (this.sharing.areOthers(sessions)) this.flows.wait()
    }
  }

  connected(connection: Connection): void {
    this.#connection = connection
  }

  hold(): void {
    const before = this.unread
    this.#holds++
    this.#pause()
    if (this.unread && !before) this.#owner.held()
  }

  release(): void {
    this.#holds--
    this.#heldUntil = this.#shared.turn.now
    this.#resume()
  }

  holdFor(user: object): boolean {
    const heldFor = this.#heldFor ??= new Set()
    if (heldFor.has(user)) return false
    // The end of a cut chunk may be too much when the connection is gone, which others cannot use any more.
    if (heldFor.size === 0 && this.#connection !== undefined) {
      this.#shared.limits.unheard.start(this.#unheard ??= new Timeout(() => this.#longUnheard()))
    }
    heldFor.add(user)
    this.hold()
    return true
  }

  releaseFor(user: object): void {
    if (this.#heldFor?.delete(user) !== true) return
    if (this.#heldFor.size === 0) stopTimer(this.#unheard)
    this.release()
  }

  /** The connection was not read for so long that others, if there may be some, could have sent something: it counts as theirs too. */
  #longUnheard(): void {
    if (this.sharing.hasOthers) this.#join()
    else this.#shared.limits.unheard.start(this.#unheard!)
  }

  /** Whether it is not read for a while because of what came in on it, not because the peer does not read its answers. */
  get unread(): boolean {
    return this.#holds > Number(this.#outputHold)
  }

  get isAwaited(): boolean {
    return this.#owner.outbound.transactions.isAwaited
  }

  /**
   * Whether answers may be among what is not read yet, because the connection is held, or was until recently. A peer that is only
   * faster than allowed does not count: it is read all the time, though slowly, or it could delay those that wait for its answers.
   */
  get isBehind(): boolean {
    return this.#holds > 0 || this.#shared.turn.now < this.#heldUntil + BEHIND
  }

  #pause(): void {
    if (this.#pauses++ === 0) this.#connection?.pause()
  }

  #resume(): void {
    if (--this.#pauses === 0) this.#connection?.resume()
  }

  /** Lets everything behind this frame wait, including what was read already. */
  stop(): void {
    this.#stops++
    this.#pause()
  }

  /** Ends one `stop`; to be called once for each. */
  go(): void {
    if (--this.#stops === 0) this.onGo()
    this.#resume()
    if (this.#pauses === 0) this.#connection?.deliver?.()
  }

  /** Whether what is behind this frame may be processed. */
  get mayGoOn(): boolean {
    return this.#stops === 0
  }

  // ---- what waits for slow receivers

  /** A request takes a route: see `Sharing`. */
  uses(route: UsedRoute, before: UsedRoute | undefined): void {
    if (this.sharing.uses(route, before)) this.#join()
  }

  /** Several sessions use the connection from now on: they do not wait for one user, nor for long for one receiver. */
  #join(): void {
    if (!this.sharing.becomesSeveral()) return
    for (const user of this.#heldFor ?? []) this.releaseFor(user)
    this.flows.othersJoin()
  }

  /**
   * Whether SENDs are answered late. A sender that shares its connection with others is not read more slowly for a slow receiver,
   * up to a limit, but answered more slowly, so that a sender that waits for answers waits in this session only.
   */
  answersLate({ fromRelay, octets, user }: WaitingFlow): boolean {
    return octets > user.share(this.#shared.limits.session) / 4 && (fromRelay || this.sharing.severalSessions)
  }

  /** An answer was written. A peer that does not read its answers is not read either, as long as the connection can be written to. */
  answered(): void {
    const { open, waitingOctets } = this.#outbox
    if (this.#outputHold || !open || waitingOctets <= this.#mostAnswers) return
    this.#outputHold = true
    this.hold()
  }

  get readsNoAnswers(): boolean {
    return this.#outputHold
  }

  /** Two relays that do not read each other would wait for ever, so a relay may have more; its own limits bound its requests. */
  get #mostAnswers(): number {
    const { relay, responses } = this.#shared.limits
    return this.#load.share(this.sharing.fromRelay ? relay : responses)
  }

  /** The operating system has taken octets, or they are lost and nothing more can be written. */
  moved(): void {
    const { open, waitingOctets } = this.#outbox
    if (!this.#outputHold || (open && waitingOctets > this.#mostAnswers / 2)) return
    this.#outputHold = false
    this.release()
  }

  /** The connection is gone. */
  close(): void {
    stopTimer(this.#unheard)
    this.#connection = undefined
    this.sharing.close()
    this.flows.close()
  }
}
