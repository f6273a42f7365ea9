/**
 * Octets to MSRP frames and back (RFC 4975 §7, §9).
 *
 * @module
 */

import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import { Decoder, type FrameDecoder, type FrameSink } from "./protocol/Decoder.ts"
import { encodeRequest, encodeResponse, type RequestParts, type ResponseParts } from "./protocol/Encoder.ts"
import { defaultFrameLimits, type FrameLimits } from "./protocol/FrameLimits.ts"

export { Decoder, type FrameDecoder, type FrameSink } from "./protocol/Decoder.ts"
export type { HeaderLines, RequestParts, ResponseParts } from "./protocol/Encoder.ts"
export { type FailureReport, type Flag, Head } from "./protocol/Head.ts"

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
  static readonly make = (limits: Partial<FrameLimits> = {}): Codec["Service"] => {
    const all = { ...defaultFrameLimits, ...limits }
    return Codec.of({
      limits: all,
      decoder: (sink) => new Decoder(sink, all),
      request: encodeRequest,
      response: encodeResponse
    })
  }
  static readonly layerWith = (limits: Partial<FrameLimits>): Layer.Layer<Codec> =>
    Layer.sync(Codec, () => Codec.make(limits))
  static readonly layer: Layer.Layer<Codec> = Codec.layerWith({})
}
