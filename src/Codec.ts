/**
 * Octets to MSRP frames and back (RFC 4975 §7, §9).
 *
 * @module
 */

import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type OptionProblem, OptionsError } from "./options/OptionsError.ts"
import { isWhole } from "./options/Whole.ts"
import { Decoder, type FrameDecoder, type FrameSink } from "./protocol/Decoder.ts"
import { encodeRequest, encodeResponse, type RequestParts, type ResponseParts } from "./protocol/Encoder.ts"
import { defaultFrameLimits, type FrameLimits } from "./protocol/FrameLimits.ts"

export { Decoder, type FrameDecoder, type FrameSink } from "./protocol/Decoder.ts"
export type { HeaderLines, RequestParts, ResponseParts } from "./protocol/Encoder.ts"
export { type FailureReport, type Flag, Head } from "./protocol/Head.ts"

/**
 * The limits of frames that are to be others than by default.
 *
 * @category options
 * @since 0.2.0
 */
export type CodecLimits = { readonly [Limit in keyof FrameLimits]?: FrameLimits[Limit] | undefined }

/**
 * Octets to MSRP frames and back (RFC 4975 §7, §9). All of it is plain calls, since each message takes them.
 *
 * The contract, for a codec of one's own:
 *
 * - `decoder` is asked for each connection. What it gives calls the sink with frames, in order, in `push` or `resume` and
 *   never outside of them, whatever the octets are split into. It throws at nothing that comes in: what is no frame is
 *   `broken`, after which nothing more is told; but a frame with too long a header section is skipped if `overLimit` says so.
 * - A frame longer than what is kept comes in pieces: `chunkStart`, `chunkBody` as often as there is something, `chunkEnd`.
 *   It keeps no more than `limits` say: a header section and a short body. What it hands out is valid during the call only.
 * - When `FrameSink.frame` gives false, what is behind that frame is held back until `resume`, and counted in `held`.
 * - `request` and `response` give the octets of a whole frame. No text of theirs can end its line.
 *
 * Most want what is there with something added: `Codec.make` gives it to be wrapped, and `Head` reads a header section.
 * ```ts
 * const Small = Codec.layerWith({ headers: 64 })
 * ```
 *
 * `codecContract` of `msrp-relay/testing` has tests of that.
 *
 * @category services
 * @since 0.1.0
 */
export class Codec extends Context.Service<Codec, {
  readonly limits: FrameLimits
  /** A decoder for one connection: it is given the octets as they come, and calls the sink with frames. */
  readonly decoder: (sink: FrameSink) => FrameDecoder
  readonly request: (parts: RequestParts) => Buffer
  readonly response: (parts: ResponseParts) => Buffer
}>()("msrp-relay/Codec") {
  /** What is absent or undefined is as by default. Throws an `OptionsError` where limits cannot be used. */
  static readonly make = (limits: CodecLimits = {}): Codec["Service"] => {
    // By hand: a page would have to load schemas for nothing else. A limit that is no number would be none.
    const all: Record<string, number> & FrameLimits = { ...defaultFrameLimits }
    const problems: Array<OptionProblem> = []
    for (
      const [option, limit] of Object.entries(
        Object.prototype.toString.call(limits) === "[object Object]" ? limits : { options: limits }
      )
    ) {
      if (!Object.hasOwn(all, option)) problems.push({ option, problem: "is no option" })
      else if (!isWhole(limit)) problems.push({ option, problem: "must be a whole number above 0" })
      else if (limit !== undefined) all[option] = limit
    }
    if (problems.length > 0) throw new OptionsError({ layer: "Codec", problems })
    return Codec.of({
      limits: all,
      decoder: (sink) => new Decoder(sink, all),
      request: encodeRequest,
      response: encodeResponse
    })
  }
  /** With limits of one's own: each a whole number above 0. */
  static readonly layerWith = (limits: CodecLimits): Layer.Layer<Codec, OptionsError> =>
    Layer.effect(Codec, Effect.try({ try: () => Codec.make(limits), catch: (error) => error as OptionsError }))
  /** With the limits `defaultFrameLimits`. */
  static readonly layer: Layer.Layer<Codec> = Layer.sync(Codec, () => Codec.make())
}
