/** The limits of a codec: each is one, whatever it is given as. */
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Codec, type CodecLimits } from "../src/Codec.ts"
import { OptionsError } from "../src/options/Options.ts"
import { defaultFrameLimits } from "../src/protocol/FrameLimits.ts"

const wrong = { headers: -1, startLine: Number.NaN, pathUris: Infinity, headerLine: "8192", header: 64 } as never
const names = ["headers", "startLine", "pathUris", "headerLine", "header"]

describe("limits of one's own", () => {
  it.effect("go for those by default, which are in the place of what is undefined", () =>
    Effect.gen(function*() {
      const limits: CodecLimits = { headers: 2, nonSendBody: undefined, headerSection: undefined }
      const codec = Context.get(yield* Layer.build(Codec.layerWith(limits)), Codec)
      assert.deepStrictEqual(codec.limits, { ...defaultFrameLimits, headers: 2 })
      const broken: Array<string> = []
      const decoder = codec.decoder({
        frame: () => true,
        chunkStart: () => {},
        chunkBody: () => {},
        chunkEnd: () => {},
        broken: (reason) => void broken.push(reason)
      })
      const endless = Buffer.from(`X-Name: ${"x".repeat(1000)}\r\n`)
      decoder.push(Buffer.from("MSRP a786hjs2 AUTH\r\n"))
      for (let line = 0; line < 100; line++) decoder.push(endless)
      assert.lengthOf(broken, 1)
    }))

  it.effect("that cannot be used are all told", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(Layer.build(Codec.layerWith(wrong)))
      assert.deepStrictEqual(error.problems.map(({ option }) => option), names)
      assert.include(error.message, "Codec has 5 options that cannot be used: headers must be a whole number")
      assert.include(error.message, "header is no option")
      for (const none of [null, 5] as ReadonlyArray<any>) {
        assert.instanceOf(yield* Effect.flip(Layer.build(Codec.layerWith(none))), OptionsError)
      }
      assert.throws(() => Codec.make(wrong), OptionsError)
    }))
})
