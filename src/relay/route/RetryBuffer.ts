/**
 * Copies of the first requests of a session on a connection to another relay that other sessions may share. Some relays have
 * one connection for each session, and answer 481 to every other session on it. Copies are kept until the relay has accepted a
 * request of the session. If it answers 481 to the first one, they are sent again on a connection of the session's own, and nothing
 * is reported.
 */
import { type Flag, type Head, Kind } from "../../protocol/Head.ts"
import type { Piece } from "../outbound/Origin.ts"
import { stopTimer, Timed } from "../Timers.ts"
import { keepFrame, readAgain } from "./KeptFrame.ts"
import type { Retry } from "./Retry.ts"
import type { Route } from "./Route.ts"

/** Octets that are kept for one session. Beyond that nothing is sent again, and every refusal is reported. */
const MAX_KEPT = 16_384

/** Octets counted for each request besides its own. */
const OVERHEAD = 256

/** Retry buffers of one connection at a time, and of one user on all connections. Further sessions do without. */
export const MAX_RETRY_BUFFERS = 256

/** A connection or a user, whose retry buffers are counted. */
interface RetryCount {
  retryBuffers: number
}

/** Whether requests can be sent again, and where. */
export interface RetryPolicy {
  /** Whether copies are kept, because there may be another connection to send them on. */
  readonly keeps: boolean
  /** The relay has accepted a request of the session. */
  accepted(): void
  /** A route on a connection of the session's own; undefined if it has this one to itself already, or cannot have one. */
  elsewhere(): Route | undefined
}

/** A copy of a whole request as it came in. */
interface Kept {
  readonly key: string
  /** Whether the relay would have answered a refused request (RFC 4975 §7.1.2). */
  readonly isAnswered: boolean
  readonly octets: Buffer
  readonly bodyEnd: number
  readonly flag: Flag
}

export class RetryBuffer extends Timed implements Retry {
  readonly #route: Route
  readonly #policy: RetryPolicy
  readonly #counts: ReadonlyArray<RetryCount>
  #kept: Array<Kept> = []
  #octets = 0
  #closed = false

  constructor(route: Route, policy: RetryPolicy, counts: readonly [connection: RetryCount, user: RetryCount]) {
    super()
    this.#route = route
    this.#policy = policy
    this.#counts = counts
    for (const one of counts) one.retryBuffers++
    route.target.shared.limits.transaction.start(this)
  }

  keep(head: Head, bodyEnd: number, flag: Flag): void {
    if (!this.#policy.keeps) return
    const { bodyStart, failureReport, kind, messageId, rangeStart, start, transactionId } = head
    const octets = keepFrame(head, bodyEnd)
    this.#octets += octets.length + OVERHEAD
    if (this.#octets > MAX_KEPT) return this.close()
    const key = kind === Kind.Send ? pieceKey(messageId, rangeStart, bodyEnd - bodyStart) : transactionId
    const isAnswered = kind === Kind.Send && failureReport !== "no"
    this.#kept.push({ key, isAnswered, octets, bodyEnd: bodyEnd - start, flag })
  }

  heard(status: number): void {
    if (this.#closed || status < 200 || status >= 300) return
    this.#policy.accepted()
    this.close()
  }

  absorbsFailure({ length, messageId, start }: Piece, status: number): boolean {
    return this.#absorbs(pieceKey(messageId, start, length), status)
  }

  absorbsAnswer(id: string, status: number): boolean {
    return this.#absorbs(id, status)
  }

  #absorbs(key: string, status: number): boolean {
    const at = this.#kept.findIndex((one) => one.key === key)
    if (at === -1) return false
    if (status === 481) {
      // A relay answers in order. If it has refused nothing before this, the session was accepted, and has ended since.
      if (this.#kept.slice(0, at).some(({ isAnswered }) => isAnswered)) this.close()
      else if (this.#route.wayBack.isThere && this.#sendElsewhere(at)) return true
    }
    // It was answered, so it must not be sent again with others.
    this.#kept.splice(at, 1)
    return false
  }

  /** Sends all copies again; `refused` is the index of the one that was answered 481. Returns false if there is nowhere to. */
  #sendElsewhere(refused: number): boolean {
    const next = this.#policy.elsewhere()
    if (next === undefined) {
      this.close()
      return false
    }
    const kept = this.#kept
    this.#end()
    this.#route.moved(next)
    this.#route.wayBack.retry = new SentElsewhere(kept.toSpliced(refused, 1).map(({ key }) => key))
    for (const { bodyEnd, flag, octets } of kept) {
      next.flow.parkFrame(readAgain(octets), bodyEnd, flag, false)
    }
    return true
  }

  close(): void {
    if (this.#closed) return
    this.#end()
    this.#route.wayBack.retry = undefined
  }

  #end(): void {
    this.#closed = true
    this.#kept = []
    stopTimer(this)
    for (const one of this.#counts) one.retryBuffers--
  }

  override expired(): void {
    this.close()
  }
}

/** Drops the answers on the first connection to requests that were sent again on another. It holds no reference to the route. */
class SentElsewhere implements Retry {
  readonly #keys: Array<string>

  constructor(keys: Array<string>) {
    this.#keys = keys
  }

  keep(): void {}

  heard(): void {}

  absorbsFailure({ length, messageId, start }: Piece): boolean {
    return this.absorbsAnswer(pieceKey(messageId, start, length))
  }

  absorbsAnswer(key: string): boolean {
    const at = this.#keys.indexOf(key)
    if (at !== -1) this.#keys.splice(at, 1)
    return at !== -1
  }

  /** It stays in place, because answers may still come. */
  close(): void {}
}

const pieceKey = (messageId: string | undefined, start: number, length: number): string =>
  `${messageId ?? ""} ${start} ${length}`
