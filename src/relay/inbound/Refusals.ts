/**
 * How a request that goes no further than this relay is answered: by a response, a REPORT or nothing, depending on its method
 * and Failure-Report (RFC 4975 §7.1.4, §7.2, RFC 4976 §6.4.1).
 */
import type { Broken } from "../../protocol/Broken.ts"
import { totalOf } from "../../protocol/ByteRange.ts"
import { encodeResponse } from "../../protocol/Encoder.ts"
import { type Flag, type Head, Kind } from "../../protocol/Head.ts"
import { reasonPhrase } from "../../protocol/Status.ts"
import { type MsrpUri, parsePath, parseUri } from "../../protocol/Uri.ts"
import { countFrameIn, countRefused, countReportMade, type RelayCounters } from "../Counters.ts"
import type { FrameTrace } from "../FrameTrace.ts"
import type { HopFacts, RefusedRequest } from "../Observer.ts"
import { encodeReport } from "../route/Report.ts"
import type { Answered } from "../rules/Decision.ts"
import type { Shared } from "../Shared.ts"
import { type Chunk, DiscardedChunk } from "./Chunk.ts"

/** The hop on whose connection the request came in. */
export interface RefusalsOwner extends HopFacts {
  readonly shared: Shared
  readonly router: { ownUri(secure: boolean): MsrpUri | undefined }
  readonly probation: { readonly active: boolean; refused(): void }
  /** Whether its peer is another relay, so that many users share the connection. */
  readonly isLink: boolean
  /** Traces what passes on the connection, while it is traced. */
  readonly trace: FrameTrace | undefined
  /**
   * Notes that a request has come from behind this relay, if the certificate of the connection proves that its peer is that, and
   * returns whether it does.
   */
  noteRelay(relay: MsrpUri | undefined): boolean
  /** Writes a whole frame that the relay made; does nothing once the connection is gone. */
  control(frame: Buffer): void
}

export class Refusals {
  readonly #hop: RefusalsOwner

  constructor(hop: RefusalsOwner) {
    this.#hop = hop
  }

  /** Answers a request with a body of `octets` octets, as its method and Failure-Report allow. */
  now(head: Head, answer: Answered, octets: number, flag: Flag): void {
    this.later(head, answer)(octets, flag)
  }

  /** Prepares the answer to a request. To be called with the length of the body and its flag, once these are known. */
  later(head: Head, { parties, problem, status, target }: Answered): (octets: number, flag: Flag) => void {
    const hop = this.#hop
    const answer = answerTo(head, status, this.#pathsBack(head), hop.shared.counters)
    if (status >= 300) {
      this.#refused({ kind: head.kind, status, problem: head.problem ?? problem, parties, target })
      if (hop.probation.active) hop.noteRelay(relayBefore(head))
    }
    return (octets, flag) => {
      if (answer !== undefined) hop.control(answer(octets, flag))
      if (status >= 300) hop.probation.refused()
    }
  }

  /** Discards a long chunk. A sender that wants responses gets one at once, and may stop (RFC 4975 §7.3.2). */
  discard(head: Head, answer: Answered): Chunk {
    const isGoodSend = head.kind === Kind.Send && head.problem === undefined
    if (!isGoodSend || head.failureReport !== "yes") return new DiscardedChunk(this.later(head, answer))
    this.now(head, answer, 0, "+")
    return new DiscardedChunk(undefined)
  }

  /**
   * Whether a request with a header section over a limit is skipped. It is on a connection of another relay, which passes on what
   * its clients write, and adds to it: requests of others are behind it.
   */
  skips(reason: Broken, head: Head): boolean {
    // It may be the first request of the connection: its From-Path shows whether a relay has sent it.
    this.#hop.noteRelay(relayBefore(head))
    if (!this.#hop.isLink) return false
    this.#hop.trace?.incoming.overLimit?.(reason, head)
    this.last(head, 413)
    return true
  }

  /** Answers a request whose header section was not read to its end. By a response, because a REPORT would have to name octets. */
  last(head: Head, status: number): void {
    const hop = this.#hop
    countFrameIn(hop.shared.counters, head.kind, head.status, 0)
    if (head.kind === Kind.Response) return
    this.#refused({
      kind: head.kind,
      status,
      problem: "over a limit",
      parties: undefined,
      target: undefined
    })
    const paths = this.#pathsBack(head)
    if (paths === undefined) return
    hop.shared.counters.responsesOut[status]!++
    hop.control(responseTo(head, status, paths))
  }

  /** Counts a refused request by its status, and reports it to the observer. */
  #refused(request: RefusedRequest): void {
    const { counters, observer } = this.#hop.shared
    countRefused(counters, request.status)
    observer.refused(this.#hop, request)
  }

  /** The paths of the answer; `undefined` if none is wanted or possible. */
  #pathsBack(head: Head): PathsBack | undefined {
    if (head.kind === Kind.Report || head.kind === Kind.Response || head.failureReport === "no" || head.fromEnd === 0) {
      return undefined
    }
    const { connection, router, shared } = this.#hop
    const from = fromUris(head, shared.codec.limits.pathUris)
    // If no URI addresses the relay, its own URI on this connection.
    const addressed = addressedBy(head) ?? router.ownUri(connection!.secure)?.text
    // Without a previous hop there is no receiver of an answer.
    return from.length === 0 || addressed === undefined ? undefined : { from, addressed }
  }
}

interface PathsBack {
  /** The URIs of the From-Path of the request. */
  readonly from: ReadonlyArray<string>
  /** The URI by which the request addresses the relay. */
  readonly addressed: string
}

/** Makes the answer from the length of the body and its flag; `undefined` if no answer is wanted. */
const answerTo = (
  head: Head,
  status: number,
  paths: PathsBack | undefined,
  counters: RelayCounters
): ((octets: number, flag: Flag) => Buffer) | undefined => {
  if (paths === undefined) return undefined
  if (head.kind === Kind.Send && head.failureReport === "partial") {
    // A good SEND gets no response then; for a bad one a REPORT is safer, because the previous hop may keep no state.
    if (status < 300) return undefined
    const { messageId, rangeStart: start, rangeTotal } = head
    // A REPORT must have a Message-ID (RFC 4975 §7.1.2); a response need not.
    if (messageId !== undefined) {
      const [toPath, fromPath] = [paths.from.join(" "), paths.addressed]
      return (length, flag) => {
        const piece = { messageId, start, length, total: totalOf(rangeTotal, start + length - 1, flag) }
        countReportMade(counters, status)
        return encodeReport({ toPath, fromPath, piece, status, comment: reasonPhrase(status) })
      }
    }
  }
  const response = responseTo(head, status, paths)
  return () => {
    counters.responsesOut[status]!++
    return response
  }
}

/** The response to a request; that to a SEND names the previous hop only (RFC 4975 §7.2). */
const responseTo = (head: Head, status: number, { addressed, from }: PathsBack): Buffer =>
  encodeResponse({
    transactionId: head.transactionId,
    status,
    comment: reasonPhrase(status),
    toPath: head.kind === Kind.Send ? from[0]! : from.join(" "),
    fromPath: addressed
  })

/**
 * The URIs of From-Path. An answer goes back on the same connection and needs no route, so a path that cannot be parsed is
 * returned as it came (RFC 4975 §7.2). It is not longer than a header line may be, and contains no line end.
 */
const fromUris = (head: Head, pathUris: number): ReadonlyArray<string> =>
  parsePath(head.fromPath, pathUris)?.map((uri) => uri.text) ?? textsOf(head.fromPath)

const textsOf = (path: string): ReadonlyArray<string> => path.split(" ").filter((text) => text !== "")

/**
 * The relay behind which From-Path says its sender is: the first of several URIs. It can be read also where the others, which a
 * client wrote and its relay passed on, cannot.
 */
const relayBefore = ({ fromPath }: Head): MsrpUri | undefined => {
  const [first, second] = textsOf(fromPath)
  return second === undefined ? undefined : parseUri(first!)
}

/** The URI by which a request addresses the relay, if it has one (RFC 4975 §7.2). */
const addressedBy = (head: Head): string | undefined => {
  const first = head.toPath.split(" ", 1)[0]!
  return parseUri(first) === undefined ? undefined : first
}
