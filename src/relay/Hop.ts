/**
 * One connection of the relay, to a client, a peer or another relay, whoever opened it: what comes in is dispatched
 * here, what goes out is in its outbox, and what was sent to it and may be answered are its transactions.
 */
import type { Decoder, FrameSink } from "../protocol/Decoder.ts"
import { encodeResponse, type HeaderLines } from "../protocol/Encoder.ts"
import { type Flag, type Head, Kind } from "../protocol/Head.ts"
import { reasonPhrase } from "../protocol/Status.ts"
import type { MsrpUri } from "../protocol/Uri.ts"
import type { Session } from "../SessionRepo.ts"
import type { Connection, Receiver } from "../transport/Connection.ts"
import { forwardFrame, MSRP } from "./Forward.ts"
import { Outbox } from "./Outbox.ts"
import type { Pace } from "./Pace.ts"
import { refusal } from "./Refusal.ts"
import type { RelayState } from "./RelayState.ts"
import type { Route } from "./Route.ts"
import type { Decision } from "./Router.ts"
import { Routes } from "./Routes.ts"
import { Stream } from "./Stream.ts"
import { stopTimer, Timed } from "./Timers.ts"
import type { Transaction } from "./Transaction.ts"

/** Sessions in which a connection is the peer, before it is looked which of them have ended. */
const MAX_PEER_OF = 1024

const END = Buffer.from("$\r\n")

/** An answer to a request that goes no further; it is given the real length of the body, and how that ended. */
type Answer = (octets: number, flag: Flag) => void

/** A connection must bring one successful request within 30 s (RFC 4976 §6.1). */
class Probation extends Timed {
  readonly #hop: Hop
  constructor(hop: Hop) {
    super()
    this.#hop = hop
  }
  override expired(): void {
    this.#hop.relay.stats.probationsFailed++
    this.#hop.fail("no successful request in probation")
  }
}

/** Its peer was faster than a session allows (`Pace`), and is not read until the time of that is over. */
class Slowed extends Timed {
  readonly #hop: Hop
  constructor(hop: Hop) {
    super()
    this.#hop = hop
  }
  override expired(): void {
    this.#hop.goOn()
  }
}

export class Hop implements Receiver, FrameSink {
  readonly relay: RelayState
  readonly outbox: Outbox
  readonly #decoder: Decoder
  connection: Connection | undefined
  /** Where it leads, as the dialler knows it. */
  readonly dialKeys: Array<string> = []
  /** Session URIs handed out on this connection; those that ended are taken out at the next AUTH. */
  readonly sessions = new Set<Session>()
  /** Sessions of others in which this connection is the peer; those that ended are taken out now and then. */
  readonly #peerOf = new Set<Session>()
  #peerOfMax = MAX_PEER_OF
  /** Milliseconds of the monotonic clock when octets last came in or went out. */
  lastUsed: number
  /** The connection is gone, or could not be made. */
  gone = false
  /** What those hear whose requests are lost with it. */
  #lossStatus: 403 | 408 = 408
  /** Requests sent to this hop that may be answered, by the transaction id they were given. */
  readonly #transactions = new Map<string, Transaction>()
  readonly #routes = new Routes()
  /** That of the last request, for the next one with the same paths. */
  #lastRoute: Route | undefined
  /** The long chunk that is coming in: passed on, or read and thrown away. */
  #stream: Stream | undefined
  #streamRoute: Route | undefined
  /** A long frame that is thrown away, how much of it so far, what is answered at its end, and what its end unblocks. */
  #discarding: { octets: number; readonly answer: Answer | undefined; readonly unblock?: () => void } | undefined
  readonly #probation: Probation
  onProbation = true
  #unsuccessful = 0
  #challenges = 0
  failedAuths = 0
  /** Reasons for not reading. */
  #holds = 0
  #outputHold = false
  #parked = 0
  #parkedHold = false

  constructor(relay: RelayState) {
    this.relay = relay
    this.#decoder = relay.codec.decoder(this)
    this.outbox = new Outbox(this)
    this.lastUsed = relay.now
    this.#probation = new Probation(this)
  }

  /** A connection that came in. */
  accepted(connection: Connection): this {
    this.connection = connection
    this.outbox.connected(connection)
    this.relay.limits.probation.start(this.#probation)
    this.relay.admission.entered(this)
    return this
  }

  /** The connection that was dialled for this hop. No probation: the relay wanted it. */
  dialled(connection: Connection): this {
    this.connection = connection
    this.onProbation = false
    this.outbox.connected(connection)
    if (this.#holds > 0) connection.pause()
    this.relay.admission.entered(this)
    return this
  }

  /** Does the certificate of this connection prove that it is the relay which the URI names (RFC 4976 §6.3). */
  isRelay(uri: MsrpUri): boolean {
    const names = this.connection?.peerNames
    return names !== undefined && names.length > 0 && this.relay.peers.proves(names, uri)
  }

  /** Is it the peer of a session, or does it have one of its own, that is still valid. */
  hasSessions(now: number): boolean {
    for (const sessions of [this.sessions, this.#peerOf]) {
      for (const session of sessions) {
        if (!session.ended && session.expiresAt > now) return true
        sessions.delete(session)
      }
    }
    return false
  }

  /** It is the peer of this session. */
  bind(session: Session, uri: MsrpUri): void {
    session.peer = { connection: this, uri }
    this.#peerOf.add(session)
    if (this.#peerOf.size <= this.#peerOfMax) return
    for (const one of this.#peerOf) if (one.ended) this.#peerOf.delete(one)
    this.#peerOfMax = Math.max(MAX_PEER_OF, 2 * this.#peerOf.size)
  }

  // ---- octets in

  bytes(chunk: Buffer): void {
    if (this.gone) return
    this.relay.tick()
    this.lastUsed = this.relay.now
    this.relay.stats.octetsIn += chunk.length
    this.#decoder.push(chunk)
    if (this.onProbation && this.#decoder.held > this.relay.limits.probationOctets) this.fail("too much in probation")
  }

  /** What was answered before must still arrive, so the connection is not cut (RFC 4976 §6.4.1). */
  broken(reason: string): void {
    this.finish(reason)
  }

  frame(head: Head, bodyStart: number, bodyEnd: number, flag: Flag): boolean {
    this.relay.stats.framesIn++
    if (head.kind === Kind.Response) {
      this.#response(head, flag)
      return !this.gone
    }
    if (!head.samePaths) this.#lastRoute = undefined
    const route = this.#knownRoute(head)
    if (route !== undefined && (flag === "$" || head.kind === Kind.Send)) {
      this.#pass(route, head, bodyStart, bodyEnd, flag)
      return this.#mayGoOn()
    }
    return this.#newRequest(head, bodyStart, bodyEnd, flag)
  }

  /** The route that a well-formed request takes whose paths were seen before. */
  #knownRoute(head: Head): Route | undefined {
    if (head.problem !== undefined) return undefined
    const route = this.#lastRoute ?? this.#routes.get(pathsOf(head))
    if (route === undefined || !route.usable(this.relay.now)) return undefined
    // A REPORT binds no peer to a session, so the first SEND is looked at more closely.
    if (route.reportsOnly && head.kind !== Kind.Report) return undefined
    this.#lastRoute = route
    return route
  }

  /** Forwards a whole request, and answers it if it is a SEND (RFC 4976 §6.4.1, §6.4.2). */
  #pass(route: Route, head: Head, bodyStart: number, bodyEnd: number, flag: Flag): void {
    if (route.pace !== undefined) this.#spend(route.pace, 1, bodyEnd - bodyStart)
    if (head.kind === Kind.Send) {
      if (route.isBlocked(head.messageId)) return this.#stopped(route, head, bodyEnd - bodyStart, flag)
      if (head.failureReport === "yes") this.ok(route, head.buf, head.tidStart, head.tidEnd)
    } else if (bodyEnd - bodyStart > this.relay.codec.limits.nonSendBody) {
      return this.#refuse(head, 413, bodyEnd - bodyStart, flag)
    } else if (head.kind === Kind.Report) route.target.reported(head, this)
    this.relay.stats.forwarded++
    route.used(this.relay.now)
    if (route.flow.clear) forwardFrame(route, head, bodyStart, bodyEnd, flag)
    else route.flow.parkFrame(head, bodyStart, bodyEnd, flag, frameEnd(head, bodyEnd))
  }

  /** More of a message that its receiver refused (RFC 4975 §10.5). */
  #stopped(route: Route, head: Head, octets: number, flag: Flag): void {
    this.#refuse(head, 413, octets, flag)
    if (flag !== "+") route.unblock(head.messageId)
  }

  /** 200 to the previous hop (RFC 4976 §6.4.1). Octet by octet where a call would cost more. */
  ok(route: Route, buf: Buffer, tidStart: number, tidEnd: number): void {
    const { outbox } = this
    const { ok } = route
    outbox.interrupt()
    const slab = outbox.reserve(MSRP.length + ok.length + 2 * (tidEnd - tidStart) + END.length)
    let at = outbox.position
    for (let i = 0; i < MSRP.length; i++) slab[at++] = MSRP[i]!
    for (let i = tidStart; i < tidEnd; i++) slab[at++] = buf[i]!
    slab.set(ok, at)
    at += ok.length
    for (let i = tidStart; i < tidEnd; i++) slab[at++] = buf[i]!
    for (let i = 0; i < END.length; i++) slab[at++] = END[i]!
    outbox.advance(at)
    this.#checkOutput()
  }

  #newRequest(head: Head, bodyStart: number, bodyEnd: number, flag: Flag): boolean {
    const octets = bodyEnd - bodyStart
    if (head.problem !== undefined || (head.kind !== Kind.Send && flag !== "$")) {
      this.#refuse(head, 400, octets, flag)
      return !this.gone
    }
    if (head.kind !== Kind.Send && octets > this.relay.codec.limits.nonSendBody) {
      this.#refuse(head, 413, octets, flag)
      return !this.gone
    }
    const decision = this.relay.router.decide(head, this)
    switch (decision._tag) {
      case "Forward":
        this.#remember(head, decision.route)
        this.#pass(decision.route, head, bodyStart, bodyEnd, flag)
        return this.#mayGoOn()
      case "Authenticate":
        return this.relay.authenticate(this, head, decision, () => this.#decoder.resume())
      case "Here":
        if (decision.status < 300) this.succeeded()
        this.#refuse(head, decision.status, octets, flag)
        return !this.gone
      case "Refuse":
        this.#refuse(head, decision.status, octets, flag)
        return !this.gone
      case "Foreign":
        this.finish("request for another relay")
        return false
    }
  }

  #remember(head: Head, route: Route): void {
    this.succeeded()
    route.reportsOnly = head.kind === Kind.Report
    this.#routes.add(pathsOf(head), route, this.#streamRoute)
    this.#lastRoute = route
  }

  // ---- long chunks

  chunkStart(head: Head): void {
    this.relay.stats.framesIn++
    if (!head.samePaths) this.#lastRoute = undefined
    if (head.kind === Kind.Send && head.problem === undefined) {
      const known = this.#knownRoute(head)
      const decision: Decision = known === undefined
        ? this.relay.router.decide(head, this)
        : { _tag: "Forward", route: known }
      if (decision._tag === "Foreign") return this.finish("request for another relay")
      if (decision._tag === "Forward") {
        const { route } = decision
        if (known === undefined) this.#remember(head, route)
        if (!route.isBlocked(head.messageId)) return this.#passChunk(route, head)
        const { messageId } = head
        this.#discarding = { octets: 0, answer: this.#refusal(head, 413), unblock: () => route.unblock(messageId) }
        return
      }
      const status = decision._tag === "Authenticate" ? 400 : decision.status
      // Its sender hears it now, and may stop; the octets up to the end-line are thrown away (RFC 4975 §7.3.2).
      if (head.failureReport === "yes") this.#refuse(head, status, 0, "+")
      this.#discarding = { octets: 0, answer: head.failureReport === "yes" ? undefined : this.#refusal(head, status) }
      return
    }
    this.#discarding = { octets: 0, answer: this.#refusal(head, head.problem === undefined ? 413 : 400) }
  }

  #passChunk(route: Route, head: Head): void {
    this.relay.stats.forwarded++
    route.used(this.relay.now)
    if (route.pace !== undefined) this.#spend(route.pace, 1, 0)
    const stream = this.#stream = new Stream(route, head)
    this.#streamRoute = route
    if (head.failureReport !== "yes") return
    const tid = Buffer.from(head.transactionId, "latin1")
    stream.accepted = () => this.ok(route, tid, 0, tid.length)
  }

  chunkBody(buf: Buffer, start: number, end: number, hyphens: boolean): void {
    const stream = this.#stream
    if (stream === undefined) {
      if (this.#discarding !== undefined) this.#discarding.octets += end - start
      return
    }
    const { flow, pace, target } = this.#streamRoute!
    if (pace !== undefined) this.#spend(pace, 0, end - start)
    if (stream.refused) return
    if (flow.clear) stream.write(buf, start, end, hyphens)
    else if (target.gone) target.#lose(stream, end - start, "+")
    else flow.parkPart(stream, buf, start, end)
  }

  chunkEnd(flag: Flag): void {
    const discarded = this.#discarding
    this.#discarding = undefined
    discarded?.answer?.(discarded.octets, flag)
    if (flag !== "+") discarded?.unblock?.()
    const stream = this.#stream
    if (stream === undefined) return
    stream.accepted?.()
    this.#endStream(stream, flag)
    if (flag !== "+") this.#streamRoute?.unblock(stream.messageId)
    this.#stream = this.#streamRoute = undefined
  }

  /** The sender of what comes in here is told by somebody behind `from` how that went: nobody wants the rest of it. */
  reported(head: Head, from: Hop): void {
    const stream = this.#stream
    if (stream === undefined || stream.messageId !== head.messageId || this.#streamRoute!.target !== from) return
    if (/^000 [3-9]/.test(head.header("Status") ?? "")) stream.refuse()
  }

  #endStream(stream: Stream, flag: Flag): void {
    if (stream.refused) return
    const { flow, target } = this.#streamRoute!
    if (flow.clear) stream.finish(flag)
    else if (target.gone) target.#lose(stream, 0, flag)
    else flow.parkEnd(stream, flag)
  }

  // ---- answers made here

  /** Answers a request that goes no further, as its method and Failure-Report allow (RFC 4975 §7.1.4, §7.2). */
  #refuse(head: Head, status: number, octets: number, flag: Flag): void {
    this.#refusal(head, status)?.(octets, flag)
    if (status >= 300) this.refused()
  }

  /** A request came to nothing; several before the first success end the probation early (RFC 4976 §6.1). */
  refused(): void {
    this.relay.stats.refused++
    this.#endEarly(++this.#unsuccessful)
  }

  /** An AUTH without credentials. Everybody begins with one, so these are counted by themselves; none is a success. */
  challenged(): void {
    this.#endEarly(++this.#challenges)
  }

  #endEarly(unsuccessful: number): void {
    if (this.onProbation && unsuccessful >= this.relay.limits.unsuccessful) {
      this.relay.stats.probationsFailed++
      this.finish("too many requests without success in probation")
    }
  }

  #refusal(head: Head, status: number): Answer | undefined {
    const own = this.relay.router.ownUri(this.connection?.secure === true)
    const frame = refusal(head, status, own, this.relay.codec.limits.pathUris)
    return frame === undefined ? undefined : (octets, flag) => this.control(frame(octets, flag))
  }

  /** Writes a whole frame of the relay's own, before anything that waits for its turn. */
  control(frame: Buffer): void {
    if (this.gone) return
    this.outbox.interrupt()
    this.outbox.whole(frame)
    this.#checkOutput()
  }

  // ---- answers that come in

  #response(head: Head, flag: Flag): void {
    if (!head.samePaths) this.#lastAnswered = undefined
    if (head.problem !== undefined || head.hasBody || flag !== "$") return
    const transaction = this.#transactions.get(head.transactionId)
    if (transaction === undefined) return
    const { asked, route } = transaction
    if (this.#lastAnswered !== route && !route.isAnswered(head.toPath, asked === undefined)) return
    this.#lastAnswered = route
    if (asked !== undefined) {
      route.source.answered(transaction, head)
      transaction.finish()
      return
    }
    transaction.finish()
    if (head.status < 200 || head.status >= 300) {
      transaction.failed(head.status, head.comment === "" ? reasonPhrase(head.status) : head.comment)
      if (transaction.more) route.block(transaction.messageId)
    }
  }
  #lastAnswered: Route | undefined

  /** The answer to a request of this hop that was forwarded: back under the id it came with (RFC 4976 §6.4.3). */
  answered({ asked, route }: Transaction, head: Head): void {
    if (asked === undefined) return
    const rest = route.behindOwn(head.toPath)
    if (rest === undefined || rest === "" || this.gone) return
    const own = route.ownPath.split(" ").toReversed().join(" ")
    const start = `MSRP ${asked.id} ${String(head.status).padStart(3, "0")}${
      head.comment === "" ? "" : " "
    }${head.comment}`
    const paths = `To-Path: ${rest}\r\nFrom-Path: ${own} ${head.fromPath}\r\n`
    const headers = head.buf.toString("latin1", head.restStart, head.restEnd)
    this.control(Buffer.from(`${start}\r\n${paths}${headers}-------${asked.id}$\r\n`, "latin1"))
    // A client that guesses passwords at a relay further on is a nuisance here; a relay is not closed for those behind
    // it, who stand in the path as well (RFC 4976 §6.3).
    if (
      asked.hasCredentials && head.status === 401 && !rest.includes(" ") &&
      !head.headers("WWW-Authenticate").some(isStale)
    ) this.authFailed()
  }

  /** An answer that the relay gives in the next hop's stead. */
  answer(transactionId: string, route: Route, status: number, comment: string): void {
    const own = route.ownPath.split(" ").toReversed()
    this.control(encodeResponse({
      transactionId,
      status,
      comment,
      toPath: route.fromPath,
      fromPath: own[0]!
    }))
  }

  // ---- transactions

  get outstanding(): number {
    return this.#transactions.size
  }

  /** A request that was written whole. */
  expect(transaction: Transaction): void {
    this.#transactions.set(transaction.id, transaction)
    this.outbox.sent(transaction)
  }

  /** A request that is being written. */
  began(transaction: Transaction): void {
    this.#transactions.set(transaction.id, transaction)
  }

  forget(transaction: Transaction): void {
    this.#transactions.delete(transaction.id)
    if (this.outbox.waiting.length > 0 && !this.outbox.dirty) this.outbox.markDirty()
  }

  // ---- success and failure of this connection's requests

  /** A request that was authorised: the connection is what it seems to be (RFC 4976 §6.1). */
  succeeded(): void {
    if (!this.onProbation) return
    this.onProbation = false
    stopTimer(this.#probation)
    this.relay.admission.proved(this)
  }

  /** An AUTH with wrong credentials (RFC 4976 §6.3). */
  authFailed(): void {
    this.relay.stats.failedAuths++
    if (++this.failedAuths >= this.relay.limits.failedAuths) this.finish("too many failed AUTHs")
  }

  respond(
    head: { readonly transactionId: string; readonly toPath: string; readonly fromPath: string },
    status: number,
    headers: HeaderLines
  ): void {
    this.control(encodeResponse({ ...head, status, comment: reasonPhrase(status), headers }))
  }

  // ---- not reading

  hold(): void {
    if (this.#holds++ === 0) this.connection?.pause()
  }

  release(): void {
    if (--this.#holds === 0 && !this.gone) this.connection?.resume()
  }

  get parkedOctets(): number {
    return this.#parked
  }

  /** Octets that the flows of this connection hold for slow receivers, all together. */
  countParked(octets: number): void {
    this.#parked += octets
    const { connection } = this.relay.limits
    if (!this.#parkedHold && this.#parked > connection) {
      this.#parkedHold = true
      this.hold()
    } else if (this.#parkedHold && this.#parked <= connection / 2) {
      this.#parkedHold = false
      this.release()
    }
  }

  /** Who does not read his responses is not read either. */
  #checkOutput(): void {
    if (!this.#outputHold && this.outbox.waitingOctets > this.relay.limits.responses) {
      this.#outputHold = true
      this.hold()
    }
  }

  outputMoved(): void {
    if (this.#outputHold && this.outbox.waitingOctets <= this.relay.limits.responses / 2) {
      this.#outputHold = false
      this.release()
    }
  }

  /** What passes through a session is counted; above its pace the connection is not read for a while. */
  #spend(pace: Pace, requests: number, octets: number): void {
    const until = pace.spend(this.relay.now, requests, octets)
    if (until <= Math.max(this.relay.now, this.#slowedUntil)) return
    const waits = this.#slowedUntil > 0
    this.#slowedUntil = until
    if (waits) return
    this.relay.stats.paced++
    this.hold()
    this.relay.limits.pace.start(this.#slowed ??= new Slowed(this))
  }

  /** False: what is behind this frame in the same octets waits, too. */
  #mayGoOn(): boolean {
    return !(this.#decoderWaits = this.#slowedUntil > 0)
  }

  goOn(): void {
    if (this.gone) return
    this.relay.tick()
    if (this.relay.now < this.#slowedUntil) return this.relay.limits.pace.start(this.#slowed!)
    this.#slowedUntil = 0
    this.release()
    if (!this.#decoderWaits) return
    this.#decoderWaits = false
    this.#decoder.resume()
  }
  #slowed: Slowed | undefined
  /** Milliseconds of the monotonic clock; 0: it is not slowed. */
  #slowedUntil = 0
  #decoderWaits = false

  // ---- the end

  /** Sends what is written, then closes. Nothing more is read. */
  finish(reason: string): void {
    if (this.gone || this.#finishing) return
    this.#finishing = true
    // What comes now for the same next hop needs another connection.
    this.relay.dialler.forget(this)
    this.relay.logClosing(this, reason)
    this.#decoder.stop()
    this.outbox.interrupt()
    this.outbox.end()
    this.connection?.end()
    // A peer that does not close must not keep the connection; one that does must be heard.
    this.connection?.resume()
    this.relay.limits.closing.start(this.#linger = new Linger(this))
  }
  #finishing = false
  #linger: Linger | undefined

  /** Closes at once. */
  fail(reason: string): void {
    if (this.gone) return
    this.relay.logClosing(this, reason)
    this.#decoder.stop()
    this.connection?.destroy()
  }

  /** No connection could be made: none of what waits for it was sent. 403 when it may not be made. */
  unreachable(status: 403 | 408): void {
    this.#lossStatus = status
    this.closed()
  }

  #lose(stream: Stream, octets: number, flag: Flag): void {
    stream.fail(this.#lossStatus, reasonPhrase(this.#lossStatus), octets, flag)
  }

  /** The connection is gone, or could not be made (RFC 4975 §5.4, RFC 4976 §6.3). */
  closed(): void {
    if (this.gone) return
    this.gone = true
    this.#decoder.stop()
    stopTimer(this.#probation)
    stopTimer(this.#linger)
    stopTimer(this.#slowed)
    this.relay.forget(this)
    if (this.#stream !== undefined) {
      this.#endStream(this.#stream, "#")
      this.#stream = this.#streamRoute = undefined
    }
    this.outbox.close()
    this.giveUp()
    this.#routes.close()
    this.#lastRoute = this.#lastAnswered = undefined
  }

  /** No answer is waited for any more, and nothing is sent that waits: their senders are told (RFC 4976 §6.4.1). */
  giveUp(): void {
    const { flushed, waiting } = this.outbox
    for (const transaction of this.#transactions.values()) transaction.lost(flushed)
    this.#transactions.clear()
    for (const flow of waiting) flow.fail(this.#lossStatus, reasonPhrase(this.#lossStatus))
    waiting.length = 0
  }
}

/** Ends a connection whose peer does not close it. */
class Linger extends Timed {
  readonly #hop: Hop
  constructor(hop: Hop) {
    super()
    this.#hop = hop
  }
  override expired(): void {
    this.#hop.connection?.destroy()
  }
}

const pathsOf = (head: Head): string => `${head.toPath}\n${head.fromPath}`

const isStale = (challenge: string): boolean => /\bstale\s*=\s*"?true/i.test(challenge)

const frameEnd = (head: Head, bodyEnd: number): number => {
  const endLine = 7 + head.tidEnd - head.tidStart + 3
  return head.hasBody ? bodyEnd + 2 + endLine : head.bodyStart + endLine
}
