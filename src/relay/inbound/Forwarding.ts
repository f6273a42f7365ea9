/**
 * Forwards the requests of one connection that have a route (RFC 4976 §6.4.1, §6.4.2): a SEND is answered here, and each is written
 * or parked. What is known of its receiver may refuse it before that.
 */
import { type Flag, type Head, Kind } from "../../protocol/Head.ts"
import { keepOctets } from "../../protocol/Octets.ts"
import { STALLED, TOO_FAST, TOO_MUCH } from "../Loss.ts"
import type { Outbound } from "../outbound/Outbound.ts"
import { forwardFrame } from "../route/Forward.ts"
import type { Route } from "../route/Route.ts"
import { type Answered, refuse } from "../rules/Decision.ts"
import type { Shared } from "../Shared.ts"
import { type Chunk, DiscardedChunk, PassedChunk } from "./Chunk.ts"
import type { Reading } from "./Reading.ts"
import type { Refusals } from "./Refusals.ts"

/** The hop on whose connection the requests come in. */
interface ForwardingOwner {
  readonly shared: Shared
  readonly outbound: Outbound
  readonly reading: Reading
}

export class Forwarding {
  readonly #shared: Shared
  readonly #outbound: Outbound
  readonly #reading: Reading
  readonly #refusals: Refusals

  constructor({ outbound, reading, shared }: ForwardingOwner, refusals: Refusals) {
    this.#shared = shared
    this.#outbound = outbound
    this.#reading = reading
    this.#refusals = refusals
  }

  /** Forwards a whole request, whose body ends at `bodyEnd`. */
  whole(route: Route, head: Head, bodyEnd: number, flag: Flag): void {
    const { bodyStart } = head
    const octets = bodyEnd - bodyStart
    // A whole request here may be longer than a chunk may be on the next connection.
    if (octets > route.target.piece && head.kind === Kind.Send) {
      const chunk = this.begins(route, head)
      chunk.body(head.buf, bodyStart, bodyEnd, head.hyphens)
      return chunk.end(flag)
    }
    const { flow, readPace } = route
    if (readPace !== undefined) this.#reading.slowdown.spend(readPace, 1, octets)
    if (flow.refuses(head.kind)) return this.#refusals.now(head, stuck(route), octets, flag)
    const now = flow.clear
    let unanswered = false
    if (head.kind === Kind.Send) {
      const why = route.wayBack.stops(head)
      if (why !== undefined) return this.#stopped(route, head, why, octets, flag)
      if (flag !== "+" && head.rangeStart > 1) route.wayBack.ends(head.messageId)
      route.counts(1, octets)
      if (head.failureReport === "yes") {
        unanswered = !now && this.#reading.answersLate(flow)
        // The 200 goes to the previous hop (RFC 4976 §6.4.1).
        if (!unanswered) {
          this.#outbound.ok(route.ok, head.buf, head.tidStart, head.tidEnd)
          this.#reading.answered()
        }
      }
    } else if (head.kind === Kind.Report) route.target.reported(head, this.#outbound)
    else if (route.wayBack.full) return this.#refusals.now(head, tooMuch(route), octets, flag)
    route.passes(this.#shared.turn.now)
    if (route.wayBack.retry !== undefined) route.wayBack.retry.keep(head, bodyEnd, flag)
    if (now) this.#now(route, head, bodyEnd, flag)
    else flow.parkFrame(head, bodyEnd, flag, unanswered)
  }

  #now(route: Route, head: Head, bodyEnd: number, flag: Flag): void {
    try {
      forwardFrame(route, head, bodyEnd, flag)
    } catch (defect) {
      route.target.breaks(defect)
      // It fails with the connection of its receiver, so that its sender hears of it.
      route.flow.parkFrame(head, bodyEnd, flag, false)
    }
  }

  /** Refuses a further chunk of a message of which a part has failed (RFC 4975 §10.5). */
  #stopped(route: Route, head: Head, why: string, octets: number, flag: Flag): void {
    this.#refusals.now(head, unwanted(route, why), octets, flag)
    if (flag !== "+") route.wayBack.ends(head.messageId)
  }

  /** Begins to forward a long chunk, which goes on with the calls of what is returned. */
  begins(route: Route, head: Head): Chunk {
    const { messageId } = head
    if (route.flow.stuck) return this.#refusals.discard(head, stuck(route))
    const why = route.wayBack.stops(head)
    if (why !== undefined) {
      return new DiscardedChunk(this.#refusals.later(head, unwanted(route, why)), () => route.wayBack.ends(messageId))
    }
    route.passes(this.#shared.turn.now)
    route.counts(1, 0)
    const reading = this.#reading
    if (head.failureReport !== "yes") return new PassedChunk(route, head, reading, undefined)
    return new PassedChunk(route, head, reading, {
      tid: keepOctets(head.buf.subarray(head.tidStart, head.tidEnd)),
      waits: () => !route.flow.clear && reading.answersLate(route.flow)
    })
  }
}

/** The receiver takes nothing, or its connection is about to close. */
const stuck = ({ flow, parties, target: { loss, shut } }: Route): Answered =>
  refuse(408, (shut ? loss : flow.isTooFast ? TOO_FAST : STALLED).cause, parties)
/** The receiver does not want more of the message. */
const unwanted = ({ parties }: Route, problem: string): Answered => refuse(413, problem, parties)
/** Too many requests without an answer are held. */
const tooMuch = ({ parties }: Route): Answered => refuse(408, TOO_MUCH, parties)
