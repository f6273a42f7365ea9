/**
 * What is received on one connection: octets become frames, and each frame is dispatched. A request goes to the route of its
 * paths, a response to the transaction that it answers, and requests that go no further are answered here.
 */
import type { Broken } from "../../protocol/Broken.ts"
import type { FrameDecoder, FrameSink } from "../../protocol/Decoder.ts"
import type { FrameLimits } from "../../protocol/FrameLimits.ts"
import { type Flag, type Head, Kind } from "../../protocol/Head.ts"
import type { MsrpUri } from "../../protocol/Uri.ts"
import type { Closing } from "../Closing.ts"
import { countFrameIn } from "../Counters.ts"
import type { Origin } from "../outbound/Origin.ts"
import type { Outbound } from "../outbound/Outbound.ts"
import type { Route } from "../route/Route.ts"
import type { AuthSource } from "../rules/Auth.ts"
import { type Authenticate, type Decision, MALFORMED, TOO_LONG } from "../rules/Decision.ts"
import type { Router } from "../rules/Router.ts"
import type { Shared } from "../Shared.ts"
import { AUTH, ROUTE } from "../Turn.ts"
import type { Chunk } from "./Chunk.ts"
import { Forwarding } from "./Forwarding.ts"
import type { Probation } from "./Probation.ts"
import type { Reading } from "./Reading.ts"
import { Refusals, type RefusalsOwner } from "./Refusals.ts"
import { pathsOf, Routes } from "./Routes.ts"
import { TurnShare } from "./TurnShare.ts"
import { UnfinishedFrame } from "./UnfinishedFrame.ts"

/** The hop whose connection it is. */
export interface InboundOwner extends AuthSource, RefusalsOwner {
  readonly shared: Shared
  readonly reading: Reading
  readonly probation: Probation
  /** Decides which requests may go where. */
  readonly router: Router
  /** Starts an AUTH. The frames behind it wait, except on the connection of another relay. */
  authenticate(head: Head, request: Authenticate): void
  finish(reason: Closing): void
}

export class Inbound implements FrameSink {
  readonly #hop: InboundOwner
  readonly #shared: Shared
  readonly #outbound: Outbound
  readonly #decoder: FrameDecoder
  readonly #routes = new Routes()
  /** The route of the last request and the origin of the last response, for the next frames with the same paths. */
  #lastRoute: Route | undefined
  #lastAnswered: Origin | undefined
  /** The long chunk that is being received. */
  #chunk: Chunk | undefined
  #ofSend = false
  /** Milliseconds of the monotonic clock when octets were last received; a number from the beginning, as `Turn.now`. */
  lastHeard = NaN
  /** Octets received. */
  octets = 0
  readonly #share: TurnShare
  readonly #refusals: Refusals
  readonly #forwarding: Forwarding
  readonly #unfinished: UnfinishedFrame

  constructor(hop: InboundOwner) {
    this.#hop = hop
    this.#shared = hop.shared
    this.#outbound = hop.outbound
    this.#decoder = hop.shared.codec.decoder(this)
    this.#unfinished = new UnfinishedFrame(hop, this.#decoder)
    this.lastHeard = hop.shared.turn.now
    this.#share = new TurnShare(hop.shared.turn, hop.reading, hop.probation)
    this.#refusals = new Refusals(hop)
    this.#forwarding = new Forwarding(hop, this.#refusals)
  }

  bytes(octets: Buffer, last: boolean | undefined): void {
    const { counters, turn } = this.#shared
    turn.tick()
    this.lastHeard = turn.now
    counters.octetsIn += octets.length
    this.octets += octets.length
    // A connection in probation waits for those that are not: thousands of clients may log in at once.
    if (turn.long && this.#hop.probation.active) {
      this.#share.wait(octets.length)
      this.#decoder.hold()
    }
    this.#share.readBegins(octets.length + this.#decoder.held)
    this.#decoder.push(octets, last)
    this.#share.readEnds(this.#decoder.held)
    this.#unfinished.read(this.#share.waits)
    turn.readEnds()
  }

  /** Responses that were written before must still arrive, so the connection is not destroyed (RFC 4976 §6.4.1). */
  broken(reason: Broken, head: Head | undefined): void {
    this.#shared.counters.framingLost++
    this.#hop.trace?.incoming.broken(reason, head)
    if (head !== undefined) this.#refusals.last(head, TOO_LONG.status)
    this.#hop.finish(reason)
  }

  overLimit(reason: Broken, head: Head): boolean {
    return this.#refusals.skips(reason, head)
  }

  // ---- frames

  frame(head: Head, bodyStart: number, bodyEnd: number, flag: Flag): boolean {
    const { trace } = this.#hop
    if (trace !== undefined) trace.incoming.frame(head, bodyStart, bodyEnd, flag)
    const octets = bodyEnd - bodyStart
    this.#begins(head, octets, bodyEnd)
    if (head.kind === Kind.Response) {
      this.#response(head, flag)
      return this.#hop.reading.mayGoOn
    }
    const decision = this.#decide(head, octets, flag)
    switch (decision._tag) {
      case "Route":
        this.#forwarding.whole(decision, head, bodyEnd, flag)
        break
      case "Authenticate":
        this.#share.costsExtra(AUTH)
        this.#hop.authenticate(head, decision)
        break
      case "Foreign":
        this.#foreign(decision.meant)
        break
      default:
        if (decision.status < 300) this.#hop.probation.succeeded()
        this.#refusals.now(head, decision, octets, flag)
    }
    // A trace may have begun with this request.
    if (trace === undefined) this.#hop.trace?.incoming.frame(head, bodyStart, bodyEnd, flag)
    return this.#hop.reading.mayGoOn
  }

  chunkStart(head: Head): void {
    this.#begins(head, 0, head.restEnd)
    this.#unfinished.headOctets = head.restEnd - head.start
    this.#ofSend = head.kind === Kind.Send
    const decision = this.#decide(head, Infinity, "$")
    this.#hop.trace?.incoming.chunkStart(head)
    if (decision._tag === "Route") this.#chunk = this.#forwarding.begins(decision, head)
    else if (decision._tag === "Foreign") this.#foreign(decision.meant)
    else this.#chunk = this.#refusals.discard(head, decision._tag === "Authenticate" ? MALFORMED : decision)
  }

  chunkBody(buf: Buffer, start: number, end: number, hyphens: boolean): void {
    this.#share.goesOn(end - start)
    if (this.#ofSend) this.#shared.counters.bodyOctetsIn += end - start
    this.#hop.trace?.incoming.chunkBody(buf, start, end, hyphens)
    this.#chunk?.body(buf, start, end, hyphens)
  }

  chunkEnd(flag: Flag): void {
    this.#hop.trace?.incoming.chunkEnd(flag)
    const chunk = this.#chunk
    this.#chunk = undefined
    this.#unfinished.headOctets = 0
    chunk?.end(flag)
  }

  /** A REPORT goes to the sender of what is received here; it came in on the connection of `from`. */
  reported(head: Head, from: Outbound): void {
    this.#chunk?.reported(head, from)
  }

  #begins(head: Head, octets: number, end: number): void {
    countFrameIn(this.#shared.counters, head.kind, head.status, octets)
    this.#share.begins(head.kind !== Kind.Response, end - head.start)
    if (!head.samePaths) this.#lastRoute = this.#lastAnswered = undefined
  }

  #response(head: Head, flag: Flag): void {
    const transaction = this.#outbound.transactions.find(head.buf, head.tidStart, head.tidEnd)
    if (transaction === undefined) return
    const { isSend, origin } = transaction
    const fits = this.#lastAnswered === origin || origin.isAnswered(head.toPath, isSend)
    if (!fits || head.problem !== undefined || head.hasBody || flag !== "$") return transaction.misanswers()
    this.#lastAnswered = origin
    if (origin.retry !== undefined) origin.retry.heard(head.status)
    transaction.answered(head)
  }

  // ---- the route of a request

  /** The route of a request, or how it ends here. A long chunk has `Infinity` octets, and its flag is not known yet. */
  #decide(head: Head, octets: number, flag: Flag): Decision {
    const isSend = head.kind === Kind.Send
    if (head.problem !== undefined || (!isSend && flag !== "$")) return MALFORMED
    if (!isSend && isTooLong(head, octets, this.#shared.codec.limits)) return TOO_LONG
    const last = this.#lastRoute?.serves(head.kind) === true ? this.#lastRoute : undefined
    const paths = last === undefined ? pathsOf(head) : undefined
    const known = paths === undefined ? last : this.#routes.get(paths)
    if (known?.usable(this.#shared.turn.now) === true && known.serves(head.kind)) {
      this.#hop.reading.uses(known, undefined)
      return this.#lastRoute = known
    }
    this.#share.costsExtra(ROUTE)
    const decision = known?.takeSuccessor(this.#shared.turn.now) ??
      this.#hop.router.decide(head, this.#hop, octets === Infinity)
    if (decision._tag !== "Route") return decision
    this.#hop.probation.succeeded()
    this.#routes.add(paths ?? pathsOf(head), decision, this.#chunk?.route)
    this.#lastRoute = decision
    this.#hop.reading.uses(decision, known)
    return decision
  }

  #foreign(meant: MsrpUri | undefined): void {
    this.#shared.counters.foreign++
    if (meant !== undefined) this.#shared.observer.mistaken(this.#hop, meant)
    this.#hop.finish("request for another relay")
  }

  // ---- the end

  /** Nothing more will be received. What was read and waits for its turn, or was too fast, is passed on. */
  ended(): void {
    this.#unfinished.stop()
    this.#hop.reading.slowdown.end()
    this.#share.end()
  }

  /** Ignores everything that is received from now on. */
  stop(): void {
    this.#decoder.stop()
    this.#unfinished.stop()
  }

  lost(): void {
    const chunk = this.#chunk
    this.#chunk = undefined
    if (chunk?.route !== undefined && !chunk.over) this.#shared.observer.cut(this.#hop, chunk.route.parties)
    chunk?.lost()
  }

  *closes(): Iterable<void> {
    yield* this.#routes.closes()
    this.#lastRoute = this.#lastAnswered = undefined
  }
}

/** Octets of a start line without its method, with a transaction id of this relay. */
const STARTED = 24

/** Whether a request other than a SEND is longer than the next relay would accept, or would keep the connection open for. */
const isTooLong = ({ methodEnd, methodStart }: Head, octets: number, limits: FrameLimits): boolean =>
  octets > limits.nonSendBody || methodEnd - methodStart > limits.startLine - STARTED
