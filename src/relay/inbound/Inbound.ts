/**
 * What comes in on one connection: octets to frames, and each frame to whom it concerns. A request goes to the route that
 * its paths lead to, a response to the transaction that it answers, and what goes no further is answered here.
 */
import type { Decoder, FrameSink } from "../../protocol/Decoder.ts"
import { type Broken, type Flag, type Head, Kind } from "../../protocol/Head.ts"
import { type MsrpUri, parsePath } from "../../protocol/Uri.ts"
import type { Closing } from "../Closing.ts"
import type { Outbound } from "../outbound/Outbound.ts"
import type { Origin } from "../outbound/Transaction.ts"
import { forwardFrame } from "../route/Forward.ts"
import type { Route } from "../route/Route.ts"
import type { AuthSource } from "../rules/Auth.ts"
import type { Authenticate, Decision, Router } from "../rules/Router.ts"
import type { Shared } from "../Shared.ts"
import { AUTH, FRAME } from "../Turn.ts"
import { type Chunk, DiscardedChunk, PassedChunk } from "./Chunk.ts"
import type { Probation } from "./Probation.ts"
import type { Reading } from "./Reading.ts"
import { refusal } from "./Refusal.ts"
import { Routes } from "./Routes.ts"
import { Share } from "./Share.ts"

/** The hop whose connection it is. */
export interface InboundOwner extends AuthSource {
  readonly shared: Shared
  readonly reading: Reading
  readonly probation: Probation
  /** Who may send what where. */
  readonly router: Router
  /** Starts an AUTH; what is behind it waits, but on the connection of another relay. */
  authenticate(head: Head, request: Authenticate): void
  /** Was a request with this From-Path sent by somebody behind the relay that the connection's certificate proves. */
  fromBehind(from: ReadonlyArray<MsrpUri>): boolean
  finish(reason: Closing): void
}

const MALFORMED: Decision = { _tag: "Refuse", status: 400 }
const TOO_LONG: Decision = { _tag: "Refuse", status: 413 }

export class Inbound implements FrameSink {
  readonly #hop: InboundOwner
  readonly #shared: Shared
  readonly #outbound: Outbound
  readonly #decoder: Decoder
  readonly #routes = new Routes()
  /** Those of the last request and of the last response, for the next ones with the same paths. */
  #lastRoute: Route | undefined
  #lastAnswered: Origin | undefined
  /** The long chunk that is coming in. */
  #chunk: Chunk | undefined
  /** Milliseconds of the monotonic clock when octets last came in. */
  lastUsed: number
  readonly #share: Share

  constructor(hop: InboundOwner) {
    this.#hop = hop
    this.#shared = hop.shared
    this.#outbound = hop.outbound
    const decoder = this.#decoder = hop.shared.codec.decoder(this)
    hop.reading.resume = () => decoder.resume()
    this.lastUsed = hop.shared.turn.now
    this.#share = new Share(hop.shared.turn, hop.reading)
  }

  bytes(octets: Buffer): void {
    const { counters, turn } = this.#shared
    turn.tick()
    this.lastUsed = turn.now
    counters.octetsIn += octets.length
    // Who has proved nothing yet waits for those who have: thousands that log in at once are strangers to all others.
    if (turn.long && this.#hop.probation.active) {
      this.#share.wait()
      this.#decoder.hold()
    }
    this.#decoder.push(octets)
    this.#share.read(octets.length, this.#decoder.held)
    // What waits for its turn is no more than was read at a time, and not the sender's doing.
    if (!this.#share.waits) this.#hop.probation.keeps(this.#decoder.held)
    turn.readEnds()
  }

  /** What was answered before must still arrive, so the connection is not cut (RFC 4976 §6.4.1). */
  broken(reason: Broken): void {
    this.#hop.finish(reason)
  }

  // ---- frames

  frame(head: Head, bodyStart: number, bodyEnd: number, flag: Flag): boolean {
    this.#begins(head, bodyEnd - bodyStart)
    if (head.kind === Kind.Response) {
      this.#response(head, flag)
      return this.#hop.reading.mayGoOn
    }
    const octets = bodyEnd - bodyStart
    const decision = this.#decide(head, octets, flag)
    switch (decision._tag) {
      case "Route":
        this.#pass(decision, head, bodyStart, bodyEnd, flag)
        break
      case "Authenticate":
        this.#share.costs(AUTH)
        this.#hop.authenticate(head, decision)
        break
      case "Foreign":
        this.#hop.finish("request for another relay")
        break
      default:
        if (decision.status < 300) this.#hop.probation.succeeded()
        this.#refuse(head, decision.status, octets, flag)
    }
    return this.#hop.reading.mayGoOn
  }

  chunkStart(head: Head): void {
    this.#begins(head, 0)
    const decision = this.#decide(head, Infinity, "$")
    switch (decision._tag) {
      case "Route":
        this.#chunk = this.#passChunk(decision, head)
        return
      case "Foreign":
        return this.#hop.finish("request for another relay")
      default:
        this.#chunk = this.#discardChunk(head, decision._tag === "Authenticate" ? 400 : decision.status)
    }
  }

  chunkBody(buf: Buffer, start: number, end: number, hyphens: boolean): void {
    this.#share.costs(end - start)
    this.#chunk?.body(buf, start, end, hyphens)
  }

  chunkEnd(flag: Flag): void {
    const chunk = this.#chunk
    this.#chunk = undefined
    chunk?.end(flag)
  }

  /** The sender of what comes in here is told, by way of `from`, how that went. */
  reported(head: Head, from: Outbound): void {
    this.#chunk?.reported(head, from)
  }

  #begins(head: Head, octets: number): void {
    this.#shared.counters.framesIn++
    this.#share.costs(FRAME + octets)
    if (!head.samePaths) this.#lastRoute = this.#lastAnswered = undefined
  }

  #response(head: Head, flag: Flag): void {
    if (head.problem !== undefined || head.hasBody || flag !== "$") return
    const transaction = this.#outbound.transaction(head.transactionId)
    if (transaction === undefined) return
    const { origin } = transaction
    if (this.#lastAnswered !== origin && !origin.isAnswered(head.toPath, transaction.isSend)) return
    this.#lastAnswered = origin
    if (origin.trial !== undefined) origin.trial.heard(head.status)
    transaction.answered(head)
  }

  // ---- which way a request goes

  /** The route of a request, or what else becomes of it. A long chunk has `Infinity` octets, and its flag is still to come. */
  #decide(head: Head, octets: number, flag: Flag): Decision {
    const isSend = head.kind === Kind.Send
    if (head.problem !== undefined || (!isSend && flag !== "$")) return MALFORMED
    if (!isSend && octets > this.#shared.codec.limits.nonSendBody) return TOO_LONG
    const known = this.#lastRoute ?? this.#routes.get(pathsOf(head))
    // A REPORT binds no peer to a session, so the first SEND is looked at more closely.
    if (known?.usable(this.#shared.turn.now) === true && (!known.reportsOnly || head.kind === Kind.Report)) {
      return this.#lastRoute = known
    }
    const decision = known?.takeSuccessor(this.#shared.turn.now) ??
      this.#hop.router.decide(head, this.#hop, octets === Infinity)
    if (decision._tag === "Route") this.#remember(head, decision)
    return decision
  }

  #remember(head: Head, route: Route): void {
    this.#hop.probation.succeeded()
    route.reportsOnly = head.kind === Kind.Report
    this.#routes.add(pathsOf(head), route, this.#chunk?.route)
    this.#lastRoute = route
  }

  // ---- what is passed on

  /** Forwards a whole request, and answers it if it is a SEND (RFC 4976 §6.4.1, §6.4.2). */
  #pass(route: Route, head: Head, bodyStart: number, bodyEnd: number, flag: Flag): void {
    const octets = bodyEnd - bodyStart
    if (route.pace !== undefined) this.#hop.reading.spend(route.pace, 1, octets)
    if (head.kind === Kind.Send) {
      if (route.isBlocked(head.messageId)) return this.#stopped(route, head, octets, flag)
      if (head.failureReport === "yes") this.#ok(route, head.buf, head.tidStart, head.tidEnd)
    } else if (head.kind === Kind.Report) route.target.reported(head, this.#outbound)
    this.#passes(route)
    if (route.trial !== undefined) route.trial.keep(head, bodyStart, bodyEnd, flag, frameEnd(head, bodyEnd))
    if (route.flow.clear) forwardFrame(route, head, bodyStart, bodyEnd, flag)
    else route.flow.parkFrame(head, bodyStart, bodyEnd, flag, frameEnd(head, bodyEnd))
  }

  #passes(route: Route): void {
    this.#shared.counters.forwarded++
    route.used(this.#shared.turn.now)
  }

  /** More of a message that its receiver refused (RFC 4975 §10.5). */
  #stopped(route: Route, head: Head, octets: number, flag: Flag): void {
    this.#refuse(head, 413, octets, flag)
    if (flag !== "+") route.unblock(head.messageId)
  }

  #passChunk(route: Route, head: Head): Chunk {
    const { messageId } = head
    if (route.isBlocked(messageId)) {
      return new DiscardedChunk(this.#answer(head, 413), () => route.unblock(messageId))
    }
    this.#passes(route)
    const { reading } = this.#hop
    if (head.failureReport !== "yes") return new PassedChunk(route, head, reading, undefined)
    const tid = Buffer.from(head.transactionId, "latin1")
    return new PassedChunk(route, head, reading, () => this.#ok(route, tid, 0, tid.length))
  }

  /** 200 to the previous hop (RFC 4976 §6.4.1). */
  #ok(route: Route, buf: Buffer, tidStart: number, tidEnd: number): void {
    this.#outbound.ok(route.ok, buf, tidStart, tidEnd)
    this.#hop.reading.answered()
  }

  // ---- what goes no further

  #discardChunk(head: Head, status: number): Chunk {
    const isGoodSend = head.kind === Kind.Send && head.problem === undefined
    if (!isGoodSend || head.failureReport !== "yes") return new DiscardedChunk(this.#answer(head, status))
    // Its sender hears it now, and may stop; the octets up to the end-line are thrown away (RFC 4975 §7.3.2).
    this.#refuse(head, status, 0, "+")
    return new DiscardedChunk(undefined)
  }

  /** Answers a request that goes no further, as its method and Failure-Report allow (RFC 4975 §7.1.4, §7.2). */
  #refuse(head: Head, status: number, octets: number, flag: Flag): void {
    this.#answer(head, status)?.(octets, flag)
    if (status < 300) return
    const { probation } = this.#hop
    if (probation.active) this.#hop.fromBehind(parsePath(head.fromPath, this.#shared.codec.limits.pathUris) ?? [])
    probation.refused()
  }

  /** The answer, which is given the real length of the body, and how that ended; nothing where none is wanted. */
  #answer(head: Head, status: number): ((octets: number, flag: Flag) => void) | undefined {
    const hop = this.#hop
    const own = hop.router.ownUri(hop.connection!.secure)
    const frame = refusal(head, status, own, this.#shared.codec.limits.pathUris)
    return frame === undefined ? undefined : (octets, flag) => hop.control(frame(octets, flag))
  }

  // ---- the end

  /** Nothing more comes; what was read and waits for its turn is passed on, as it would have been without others. */
  ended(): void {
    this.#share.end()
  }

  /** Nothing more is wanted. */
  stop(): void {
    this.#decoder.stop()
  }

  /** The connection is gone. */
  lost(): void {
    this.#chunk?.lost()
    this.#chunk = undefined
  }

  close(): void {
    this.#routes.close()
    this.#lastRoute = this.#lastAnswered = undefined
  }
}

const pathsOf = (head: Head): string => `${head.toPath}\n${head.fromPath}`

const frameEnd = (head: Head, bodyEnd: number): number => {
  const endLine = 7 + head.tidEnd - head.tidStart + 3
  return head.hasBody ? bodyEnd + 2 + endLine : head.bodyStart + endLine
}
