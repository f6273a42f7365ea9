/**
 * What a request hears that goes no further than this relay: a response, a REPORT or nothing, as its method and
 * Failure-Report want it (RFC 4975 §7.1.4, §7.2, RFC 4976 §6.4.1).
 */
import type { Broken } from "../../protocol/Broken.ts"
import { totalOf } from "../../protocol/ByteRange.ts"
import { encodeResponse } from "../../protocol/Encoder.ts"
import type { FrameLimits } from "../../protocol/FrameLimits.ts"
import { type Flag, type Head, Kind } from "../../protocol/Head.ts"
import { reasonPhrase } from "../../protocol/Status.ts"
import { type MsrpUri, parsePath, parseUri } from "../../protocol/Uri.ts"
import { countFrameIn, countReportMade, type RelayCounters } from "../Counters.ts"
import type { FrameTrace } from "../FrameTrace.ts"
import { STALLED, TOO_FAST, TOO_MUCH } from "../Loss.ts"
import type { HopFacts } from "../Observer.ts"
import { type Outcome, refused } from "../Refused.ts"
import { encodeReport } from "../route/Report.ts"
import type { Route } from "../route/Route.ts"
import type { Shared } from "../Shared.ts"
import { type Chunk, DiscardedChunk } from "./Chunk.ts"

/** The hop on whose connection it came in. */
export interface RefusalsOwner extends HopFacts {
  readonly shared: Shared
  readonly router: { ownUri(secure: boolean): MsrpUri | undefined }
  readonly probation: { readonly active: boolean; refused(): void }
  /** Its connection is one with another relay, which many users share. */
  readonly isLink: boolean
  /** Is told what passes on it. */
  readonly trace: FrameTrace | undefined
  /** Was a request with this From-Path sent by somebody behind the relay that the connection's certificate proves. */
  fromBehind(from: ReadonlyArray<MsrpUri>): boolean
  /** Writes a whole frame of the relay's own; nothing once it is gone. */
  control(frame: Buffer): void
}

/** Nothing is passed on to who takes nothing, or is about to have gone, nor more of a message that its receiver does not want, nor what nobody could keep. */
export const stuck = ({ flow, parties, target: { loss, shut } }: Route): Outcome => ({
  status: 408,
  problem: (shut ? loss : flow.isTooFast ? TOO_FAST : STALLED).cause,
  parties
})
export const unwanted = ({ parties }: Route, problem: string): Outcome => ({ status: 413, problem, parties })
export const tooMuch = ({ parties }: Route): Outcome => ({ status: 408, problem: TOO_MUCH, parties })

/** Octets of a start line beside its method, with a transaction id of this relay. */
const STARTED = 24

/** Is a request that is no SEND longer than the next relay would take, or keep the connection for. */
export const isTooLong = ({ methodEnd, methodStart }: Head, octets: number, limits: FrameLimits): boolean =>
  octets > limits.nonSendBody || methodEnd - methodStart > limits.startLine - STARTED

export class Refusals {
  readonly #hop: RefusalsOwner

  constructor(hop: RefusalsOwner) {
    this.#hop = hop
  }

  /** Answers a request of which so many octets of body are here, as its method and Failure-Report allow. */
  now(head: Head, outcome: Outcome, octets: number, flag: Flag): void {
    this.later(head, outcome)(octets, flag)
  }

  /** The same, once the real length of the body is known, and how that ended. */
  later(head: Head, { parties, problem, status, target }: Outcome): (octets: number, flag: Flag) => void {
    const hop = this.#hop
    const answer = answerTo(head, status, this.#pathsBack(head), hop.shared.counters)
    if (status >= 300) {
      refused(hop.shared, hop, { kind: head.kind, status, problem: head.problem ?? problem, parties, target })
      if (hop.probation.active) hop.fromBehind(parsePath(head.fromPath, hop.shared.codec.limits.pathUris) ?? [])
    }
    return (octets, flag) => {
      if (answer !== undefined) hop.control(answer(octets, flag))
      if (status >= 300) hop.probation.refused()
    }
  }

  /** What becomes of a long chunk. Its sender hears it at once where he wants to, and may stop (RFC 4975 §7.3.2). */
  discard(head: Head, outcome: Outcome): Chunk {
    const isGoodSend = head.kind === Kind.Send && head.problem === undefined
    if (!isGoodSend || head.failureReport !== "yes") return new DiscardedChunk(this.later(head, outcome))
    this.now(head, outcome, 0, "+")
    return new DiscardedChunk(undefined)
  }

  /**
   * One with a header section over a limit is skipped where others' requests are behind it: another relay passes on what its
   * clients write, and adds to it.
   */
  skips(reason: Broken, head: Head): boolean {
    // It may be the first that comes: whether a relay has sent it is proved by its From-Path.
    this.#hop.fromBehind(parsePath(head.fromPath, this.#hop.shared.codec.limits.pathUris) ?? [])
    if (!this.#hop.isLink) return false
    this.#hop.trace?.incoming.overLimit?.(reason, head)
    this.last(head, 413)
    return true
  }

  /** Answers one whose header section is not read to its end: by a response, since a REPORT names the octets that it is about. */
  last(head: Head, status: number): void {
    const hop = this.#hop
    countFrameIn(hop.shared.counters, head.kind, head.status, 0)
    if (head.kind === Kind.Response) return
    refused(hop.shared, hop, {
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

  /** Of an answer that is wanted and can be given. */
  #pathsBack(head: Head): PathsBack | undefined {
    if (head.kind === Kind.Report || head.kind === Kind.Response || head.failureReport === "no" || head.fromEnd === 0) {
      return undefined
    }
    const { connection, router, shared } = this.#hop
    const from = wayBack(head, shared.codec.limits.pathUris)
    // What the relay is called on this connection, where it is addressed by no URI.
    const addressed = addressedBy(head) ?? router.ownUri(connection!.secure)?.text
    // Without a previous hop there is nobody to answer.
    return from.length === 0 || addressed === undefined ? undefined : { from, addressed }
  }
}

interface PathsBack {
  /** From-Path of the request, URI by URI. */
  readonly from: ReadonlyArray<string>
  /** The URI by which it addresses the relay. */
  readonly addressed: string
}

/** The answer, once the real length of the body and its flag are known; nothing where none is wanted. */
const answerTo = (
  head: Head,
  status: number,
  paths: PathsBack | undefined,
  counters: RelayCounters
): ((octets: number, flag: Flag) => Buffer) | undefined => {
  if (paths === undefined) return undefined
  if (head.kind === Kind.Send && head.failureReport === "partial") {
    // A good SEND gets no response then; for a bad one a REPORT is safer, since the previous hop may keep no state.
    if (status < 300) return undefined
    const { messageId, rangeStart: start, rangeTotal } = head
    // A REPORT must have a Message-ID (RFC 4975 §7.1.2); a response does without.
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

/** To a SEND, along the previous hop only (RFC 4975 §7.2). */
const responseTo = (head: Head, status: number, { addressed, from }: PathsBack): Buffer =>
  encodeResponse({
    transactionId: head.transactionId,
    status,
    comment: reasonPhrase(status),
    toPath: head.kind === Kind.Send ? from[0]! : from.join(" "),
    fromPath: addressed
  })

/**
 * From-Path, URI by URI. An answer goes by the connection and needs no route, so one that cannot be read goes back as it
 * came (RFC 4975 §7.2). It is no longer than a header line may be, and what is written of it cannot end one.
 */
const wayBack = (head: Head, pathUris: number): ReadonlyArray<string> =>
  parsePath(head.fromPath, pathUris)?.map((uri) => uri.text) ?? head.fromPath.split(" ").filter((text) => text !== "")

/** The URI by which a request addresses the relay, if it has one (RFC 4975 §7.2). */
const addressedBy = (head: Head): string | undefined => {
  const first = head.toPath.split(" ", 1)[0]!
  return parseUri(first) === undefined ? undefined : first
}
