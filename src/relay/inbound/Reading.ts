/**
 * Whether a connection is read, and why not: receivers of what it sends are slow, its peer does not read its answers, it
 * is faster than a session allows, or an AUTH is under way. It is read while there is no such reason.
 */
import { Kind } from "../../protocol/Head.ts"
import type { Connection } from "../../transport/Connection.ts"
import type { Outbox } from "../outbound/Outbox.ts"
import type { ReadControl, Waiting } from "../route/FlowControl.ts"
import type { Pace } from "../route/Pace.ts"
import type { Session } from "../Session.ts"
import type { Shared } from "../Shared.ts"
import { stopTimer, Timeout } from "../Timers.ts"
import { BackPressure, type BackPressureOwner, type Others } from "./BackPressure.ts"

/** The hop whose connection it is. */
export interface ReadingOwner extends BackPressureOwner {
  /** Answers to what comes in go out there. */
  readonly outbound: { readonly outbox: Outbox }
  readonly sessions: Others & { readonly severalUsers: boolean }
}

/** What is asked of the route of a request. */
interface Used {
  readonly fromRelay: boolean
  readonly sessions: ReadonlyArray<Session>
  /** The only kind of request that takes it. */
  readonly only: Kind | undefined
}

/** Milliseconds in which what came in while nothing was read is read. */
const BEHIND = 2000
/** Milliseconds for which a connection is that of several sessions after two of them have used it. */
const SEVERAL_FOR = 60_000

export class Reading implements ReadControl {
  readonly #shared: Shared
  readonly #owner: ReadingOwner
  readonly #outbox: Outbox
  #connection: Connection | undefined
  /** How many reasons there are for not reading, and how many of them may last (`hold`). */
  #pauses = 0
  #holds = 0
  /** Milliseconds of the monotonic clock when the last hold ended. */
  #heldUntil = -Infinity
  /** One of the holds: its peer does not read its answers. */
  #outputHold = false
  readonly flows: BackPressure
  /** The route of the last request. */
  #route: Used | undefined
  /** Milliseconds of the monotonic clock until which it counts as used by several sessions. */
  #severalUntil = -Infinity
  /** Users for whom it is held, as long as nobody else uses it; and the limit for that. */
  #heldFor: Set<object> | undefined
  #unheard: Timeout | undefined
  /** Its peer was faster than a session allows. */
  #slowed: Timeout | undefined
  /** Milliseconds of the monotonic clock until which it is not read for that; 0: it is. */
  #slowedUntil = 0
  /** How many reasons there are for not even handling what was read (`stop`). Each is one for not reading, too. */
  #stops = 0
  /** Has what was read already handled. Set by `Inbound`, which has the decoder. */
  resume: () => void = () => {}

  constructor(shared: Shared, owner: ReadingOwner) {
    this.#shared = shared
    this.#owner = owner
    this.#outbox = owner.outbound.outbox
    this.flows = new BackPressure(shared, this, owner)
  }

  connected(connection: Connection): void {
    this.#connection = connection
    if (this.#pauses > 0) connection.pause()
  }

  hold(): void {
    this.#holds++
    this.#pause()
  }

  release(): void {
    this.#holds--
    this.#heldUntil = this.#shared.turn.now
    this.#resume()
  }

  holdFor(user: object): boolean {
    const heldFor = this.#heldFor ??= new Set()
    if (heldFor.has(user)) return false
    // The end of what was cut may be too much as well: nobody speaks on a connection that is gone.
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

  /** It has not been read for so long that others, if there may be some, could have wanted to speak: then it is shared. */
  #longUnheard(): void {
    if (this.hasOthers) this.#othersJoin()
    else this.#shared.limits.unheard.start(this.#unheard!)
  }

  /**
   * It is held, or was until a moment ago, so answers may be among what is not read yet. Not where its peer is only faster than
   * he may be: he is read all the time, though slowly, or he could keep those waiting who wait for his answers.
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

  /** What is behind this frame waits, also what was read already. */
  stop(): void {
    this.#stops++
    this.#pause()
  }

  /** As often as it was stopped. */
  go(): void {
    if (--this.#stops === 0) this.resume()
    this.#resume()
    if (this.#pauses === 0) this.#connection?.deliver?.()
  }

  /** May what is behind this frame be handled. */
  get mayGoOn(): boolean {
    return this.#stops === 0
  }

  // ---- what waits for slow receivers

  /**
   * A request takes a route, which is in the place of another if that was good for other kinds of request only. An AUTH tells
   * nothing of who else is there: whoever sends has sent one.
   */
  uses(route: Used, before: Used | undefined): void {
    const last = this.#route
    if (route === last || (last !== undefined && route.only === Kind.Auth)) return
    if (last !== undefined && last !== before && last.only !== Kind.Auth) this.#othersJoin()
    this.#route = route
  }

  #othersJoin(): void {
    const before = this.severalSessions
    this.#severalUntil = this.#shared.turn.now + SEVERAL_FOR
    if (before) return
    for (const user of this.#heldFor ?? []) this.releaseFor(user)
    this.flows.othersJoin()
  }

  /** Several use it. Then nobody is held for long since the receiver of one of them is slow. */
  get severalSessions(): boolean {
    return this.#shared.turn.now < this.#severalUntil
  }

  get severalUsers(): boolean {
    return this.#owner.sessions.severalUsers
  }

  get hasOthers(): boolean {
    const used = this.#route?.sessions
    if (used === undefined) return false
    const { now } = this.#shared.turn
    const { routes, sessions } = this.#owner
    return routes.anyWithout(used, now) || sessions.anyWithout(used, now)
  }

  othersWait(since: number): boolean {
    const { limits: { unheard }, turn: { now } } = this.#shared
    return this.severalSessions || (now >= since + unheard.millis && this.hasOthers)
  }

  /**
   * A sender who shares his connection with others is not read more slowly for a slow receiver, up to a point: he is
   * answered more slowly, so that who waits for answers waits in this session only.
   */
  answersLate({ fromRelay, octets }: Waiting): boolean {
    return octets > this.#shared.limits.session / 4 && (fromRelay || this.severalSessions)
  }

  /** An answer was written: who does not read his answers is not read either, as long as any go out. */
  answered(): void {
    const { open, waitingOctets } = this.#outbox
    if (
      this.#outputHold || !open || waitingOctets <= this.#shared.limits.responses || waitingOctets <= this.#mostAnswers
    ) return
    this.#outputHold = true
    this.hold()
  }

  /** Two relays that do not read each other would wait for ever, so another relay has more: its own limits bound its requests. */
  get #mostAnswers(): number {
    const { relay, responses } = this.#shared.limits
    return this.#route?.fromRelay === true ? relay : responses
  }

  /** The operating system has taken octets, or they are lost, and nothing more goes out. */
  moved(): void {
    const { open, waitingOctets } = this.#outbox
    if (!this.#outputHold || (open && waitingOctets > this.#mostAnswers / 2)) return
    this.#outputHold = false
    this.release()
  }

  /** What passes through a session is counted; above its pace the connection is not read for a while. */
  spend(pace: Pace, requests: number, octets: number): void {
    const { counters, limits, turn } = this.#shared
    const until = pace.spend(turn.now, requests, octets)
    if (until <= Math.max(turn.now, this.#slowedUntil)) return
    const waits = this.#slowedUntil > 0
    this.#slowedUntil = until
    if (waits) return
    counters.paced++
    this.stop()
    limits.pace.start(this.#slowed ??= new Timeout(() => this.#goOn()))
  }

  /** The time may be over for which it is slowed. */
  #goOn(): void {
    const { limits, turn } = this.#shared
    if (turn.now < this.#slowedUntil) return limits.pace.start(this.#slowed!)
    this.#slowedUntil = 0
    this.go()
  }

  /** Nothing more will come: what was read of a peer that was too fast is dealt with now. */
  leave(): void {
    const waits = this.#slowedUntil > 0
    this.#slowedUntil = Infinity
    stopTimer(this.#slowed)
    if (waits) this.go()
  }

  /** The connection is gone. */
  close(): void {
    stopTimer(this.#unheard)
    this.#connection = this.#route = undefined
    this.flows.close()
  }
}
