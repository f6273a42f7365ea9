/**
 * Decodes octets to MSRP frames, and encodes frames to octets (RFC 4975 §7, §9).
 *
 * @module
 */

import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { isOptionalCount } from "./options/OptionalCount.ts"
import { type OptionProblem, OptionsError } from "./options/OptionsError.ts"
import { Decoder, type FrameDecoder, type FrameSink } from "./protocol/Decoder.ts"
import { encodeRequest, encodeResponse, type RequestParts, type ResponseParts } from "./protocol/Encoder.ts"
import { defaultFrameLimits, type FrameLimits } from "./protocol/FrameLimits.ts"

export type { Broken } from "./protocol/Broken.ts"
export { Decoder, type FrameDecoder, type FrameSink } from "./protocol/Decoder.ts"
export type { HeaderLines, RequestParts, ResponseParts } from "./protocol/Encoder.ts"
export type { FrameLimits } from "./protocol/FrameLimits.ts"
export { type FailureReport, type Flag, Head } from "./protocol/Head.ts"
export { Kind } from "./protocol/StartLine.ts"

/**
 * Limits of frames that replace the defaults.
 *
 * @category options
 * @since 0.2.0
 */
export type CodecLimits = { readonly [Limit in keyof FrameLimits]?: FrameLimits[Limit] | undefined }

/**
 * Decodes octets to MSRP frames, and encodes frames to octets (RFC 4975 §7, §9). All operations are plain function calls,
 * because every message needs them.
 *
 * The contract of a custom codec:
 *
 * - `decoder` is called once per connection. The decoder calls the sink with frames, in order, only inside `push` or `resume`,
 *   however the octets are split. No input makes it throw: for octets that are no frame it calls `broken`, and nothing after
 *   that. A frame whose header section is too long is skipped if `overLimit` says so.
 * - A frame too long to be kept comes in pieces: `chunkStart`, any number of `chunkBody`, `chunkEnd`. The decoder keeps no more
 *   than `limits` allow: a header section and a short body. Values passed to the sink are valid only during the call.
 * - When `FrameSink.frame` returns false, the octets behind that frame are held back until `resume`, and counted in `held`.
 * - `request` and `response` return the octets of a whole frame. No text in it can end its line.
 *
 * A custom codec usually wraps `Codec.make`; `Head` parses a header section.
 *
 * ```ts
 * const Small = Codec.layerWith({ headers: 64 })
 * ```
 *
 * A sink cannot be spread, because its functions belong to its class: one that wraps it calls all of them.
 *
 * ```ts
 * let frames = 0
 * const counted = (sink: FrameSink): FrameSink => ({
 *   frame: (...given) => (frames++, sink.frame(...given)),
 *   chunkStart: (head) => (frames++, sink.chunkStart(head)),
 *   chunkBody: (...given) => sink.chunkBody(...given),
 *   chunkEnd: (flag) => sink.chunkEnd(flag),
 *   overLimit: (...given) => sink.overLimit?.(...given) ?? false,
 *   broken: (...given) => sink.broken(...given)
 * })
 * const Counted = Layer.sync(Codec, () => {
 *   const codec = Codec.make()
 *   return { ...codec, decoder: (sink) => codec.decoder(counted(sink)) }
 * })
 * ```
 *
 * `codecContract` of `msrp-relay/testing` tests this contract.
 *
 * @category services
 * @since 0.1.0
 */
export class Codec extends Context.Service<Codec, {
  readonly limits: FrameLimits
  /** Makes the decoder of a connection, which takes octets as they arrive and calls the sink with frames. */
  readonly decoder: (sink: FrameSink) => FrameDecoder
  readonly request: (parts: RequestParts) => Buffer
  readonly response: (parts: ResponseParts) => Buffer
}>()("msrp-relay/Codec") {
  /** Limits that are absent or undefined have their defaults. Throws an `OptionsError` if limits cannot be used. */
  static readonly make = (limits: CodecLimits = {}): Codec["Service"] => {
    // Checked without a schema, which web pages would have to load only for this. A limit that is no number would not limit.
    const all: Record<string, number> & FrameLimits = { ...defaultFrameLimits }
    const problems: Array<OptionProblem> = []
    for (
      const [option, limit] of Object.entries(
        Object.prototype.toString.call(limits) === "[object Object]" ? limits : { options: limits }
      )
    ) {
      if (!Object.hasOwn(all, option)) problems.push({ option, problem: "is no option" })
      else if (!isOptionalCount(limit)) problems.push({ option, problem: "must be a whole number above 0" })
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
  /** A codec with custom limits, each a whole number above 0. */
  static readonly layerWith = (limits: CodecLimits): Layer.Layer<Codec, OptionsError> =>
    Layer.effect(Codec, Effect.try({ try: () => Codec.make(limits), catch: (error) => error as OptionsError }))
  /** A codec with the default limits of frames. */
  static readonly layer: Layer.Layer<Codec> = Layer.sync(Codec, () => Codec.make())
}
