import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import { Decoder, type FrameSink } from "./protocol/Decoder.ts"
import { encodeRequest, encodeResponse, type RequestParts, type ResponseParts } from "./protocol/Encoder.ts"
import { defaultFrameLimits, type FrameLimits } from "./protocol/FrameLimits.ts"

/** Octets to MSRP frames and back (RFC 4975 §7, §9). */
export class Codec extends Context.Service<Codec, {
  readonly limits: FrameLimits
  /** A decoder for one connection: it is given the octets as they come, and calls the sink with frames. */
  readonly decoder: (sink: FrameSink) => Decoder
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
