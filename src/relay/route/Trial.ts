/**
 * The first requests of a session on a connection to another relay that other sessions may use as well. There are relays
 * that have a connection for each session, and answer 481 to every other one on it. Until a request is accepted, copies are
 * kept; after such a 481 they are sent again on a connection of the session's own, and nobody hears of it.
 */
import { type Flag, type Head, Kind } from "../../protocol/Head.ts"
import type { Piece } from "../outbound/Transaction.ts"
import { stopTimer, Timed } from "../Timers.ts"
import { keepFrame, readAgain } from "./Parked.ts"
import type { Route } from "./Route.ts"
import type { Tried } from "./WayBack.ts"

/** Octets that are kept of one session; when there are more, what is refused is reported as ever. */
const MAX_KEPT = 16_384

/** Octets counted for each request beside its own. */
const OVERHEAD = 256

/** Sessions that are tried on one connection at a time, and those of one user on all; others go without. */
export const MAX_TRIALS = 256

/** Whose trials are counted: a connection, or a user. */
export interface TrialCount {
  trials: number
}

/** Who knows what else there is. */
export interface TrialOwner {
  /** Copies are kept, since there may be another way. */
  readonly keeps: boolean
  /** Other sessions use the connection. */
  readonly othersUse: boolean
  /** A request of the session was accepted there. */
  accepted(): void
  /** The route on a connection of the session's own; nothing when it cannot have one. */
  elsewhere(): Route | undefined
}

/** A whole request as it came in. */
interface Kept {
  readonly key: string
  readonly octets: Buffer
  readonly bodyStart: number
  readonly bodyEnd: number
  readonly flag: Flag
}

export class Trial extends Timed implements Tried {
  readonly #route: Route
  readonly #owner: TrialOwner
  readonly #counts: ReadonlyArray<TrialCount>
  #kept: Array<Kept> = []
  #octets = 0
  #over = false

  /** `counts`: the connection that is tried, and the user for whom. */
  constructor(route: Route, owner: TrialOwner, counts: readonly [connection: TrialCount, user: TrialCount]) {
    super()
    this.#route = route
    this.#owner = owner
    this.#counts = counts
    for (const one of counts) one.trials++
    route.target.shared.limits.transaction.start(this)
  }

  keep(head: Head, bodyStart: number, bodyEnd: number, flag: Flag): void {
    if (!this.#owner.keeps) return
    const { kind, messageId, rangeStart, start, transactionId } = head
    const octets = keepFrame(head, bodyEnd)
    this.#octets += octets.length + OVERHEAD
    if (this.#octets > MAX_KEPT) return this.over()
    const key = kind === Kind.Send ? pieceKey(messageId, rangeStart, bodyEnd - bodyStart) : transactionId
    this.#kept.push({ key, octets, bodyStart: bodyStart - start, bodyEnd: bodyEnd - start, flag })
  }

  heard(status: number): void {
    if (this.#over || status < 200 || status >= 300) return
    this.#owner.accepted()
    this.over()
  }

  failed({ length, messageId, start }: Piece, status: number): boolean {
    return this.#goes(pieceKey(messageId, start, length), status)
  }

  answered(id: string, status: number): boolean {
    return this.#goes(id, status)
  }

  #goes(key: string, status: number): boolean {
    const at = this.#kept.findIndex((one) => one.key === key)
    if (at === -1) return false
    if (status === 481 && this.#route.back.isThere && this.#goElsewhere(at)) return true
    // It was answered, and must not be sent again with others.
    this.#kept.splice(at, 1)
    return false
  }

  /** Because the one at this place was refused. */
  #goElsewhere(refused: number): boolean {
    const next = this.#owner.othersUse ? this.#owner.elsewhere() : undefined
    if (next === undefined) {
      this.over()
      return false
    }
    const kept = this.#kept
    this.#end()
    this.#route.moved(next)
    this.#route.back.trial = new Gone(kept.toSpliced(refused, 1).map(({ key }) => key))
    for (const { bodyEnd, bodyStart, flag, octets } of kept) {
      next.flow.parkFrame(readAgain(octets), bodyStart, bodyEnd, flag, false)
    }
    return true
  }

  /** Nothing is tried any more; what fails is reported. */
  over(): void {
    if (this.#over) return
    this.#end()
    this.#route.back.trial = undefined
  }

  #end(): void {
    this.#over = true
    this.#kept = []
    stopTimer(this)
    for (const one of this.#counts) one.trials--
  }

  override expired(): void {
    this.over()
  }
}

/** What was sent again elsewhere: its answers on this connection tell nobody anything. It keeps nothing of the route. */
class Gone implements Tried {
  readonly #keys: Array<string>

  constructor(keys: Array<string>) {
    this.#keys = keys
  }

  keep(): void {}

  heard(): void {}

  failed({ length, messageId, start }: Piece): boolean {
    return this.answered(pieceKey(messageId, start, length))
  }

  answered(key: string): boolean {
    const at = this.#keys.indexOf(key)
    if (at !== -1) this.#keys.splice(at, 1)
    return at !== -1
  }

  /** Answers may still come. */
  over(): void {}
}

const pieceKey = (messageId: string | undefined, start: number, length: number): string =>
  `${messageId ?? ""} ${start} ${length}`
