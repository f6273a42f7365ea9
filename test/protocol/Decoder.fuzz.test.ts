/** Whatever comes, in whatever pieces, a decoder says the same, throws nothing and keeps little. */
import { assert, it } from "@effect/vitest"
import { defaultFrameLimits, type FrameLimits, INTERRUPTIBLE_ABOVE } from "../../src/protocol/FrameLimits.ts"
import { fuzzLimit, generator } from "../support/generator.ts"
import { example, examples } from "./examples.ts"
import { Recorder } from "./recorder.ts"

/** Frames in all; more on demand. */
const FRAMES = Number(process.env["MSRP_TEST_FUZZ"] ?? 20_000)
const SEED = Number(process.env["MSRP_TEST_SEED"] ?? 20_261_123)

const frames = examples.map(({ file }) => example(file))
/** So near to what the examples have that mutations pass them. */
const narrow: FrameLimits = {
  startLine: 45,
  headerLine: 240,
  headerSection: 420,
  headers: 8,
  pathUris: 16,
  nonSendBody: 40
}
/** What means something in a frame. */
const tokens = [
  "\r\n",
  "\r",
  "\n",
  "\r\n\r\n",
  "-------",
  "$\r\n",
  "+\r\n",
  "MSRP ",
  " ",
  ":",
  "*",
  "1-9999/9999",
  "Byte-Range: 1-*/5000\r\n",
  "Content-Type: a/b\r\n",
  "To-Path: ",
  "x".repeat(2000)
].map((text) => Buffer.from(text))

it(`R4975-9-70 R4975-7.1-13 R4976-9.3-07: ${FRAMES} mutated frames in any pieces (seed ${SEED})`, () => {
  const random = generator(SEED)
  const pick = <A>(from: ReadonlyArray<A>): A => from[random(from.length)]!
  const frame = (): Buffer => {
    const one = pick(frames)
    // The long ones take most of the time and tell little more.
    return one.length < 1000 || random(8) === 0 ? one : frame()
  }
  const mutate = (octets: Buffer): Buffer => {
    const at = random(octets.length + 1)
    const [before, behind] = [octets.subarray(0, at), octets.subarray(at)]
    switch (random(7)) {
      case 0: {
        const flipped = Buffer.from(octets)
        if (at < flipped.length) flipped[at]! ^= 1 << random(8)
        return flipped
      }
      case 1:
        return Buffer.concat([before, behind.subarray(random(30))])
      case 2:
        return Buffer.concat([before, Buffer.from([random(256)]), behind])
      case 3:
        return Buffer.concat([before, pick(tokens), behind])
      case 4:
        return Buffer.concat([before, octets.subarray(random(octets.length + 1))])
      case 5: {
        // The end-line of the frame, or a part of it, somewhere else.
        const id = octets.subarray(5, Math.max(5, octets.indexOf(" ", 5)))
        const endLine = Buffer.concat([Buffer.from("\r\n-------"), id, pick(tokens)])
        return Buffer.concat([before, endLine.subarray(random(3), endLine.length - random(3)), behind])
      }
      default:
        return before
    }
  }

  for (let done = 0, run = 0; done < FRAMES; run++) {
    let stream = Buffer.alloc(0)
    for (let count = 1 + random(4); count > 0; count--, done++) {
      let octets = frame()
      for (let edits = random(4); edits > 0; edits--) octets = mutate(octets)
      stream = Buffer.concat([stream, octets])
    }
    const limits = random(3) === 0 ? narrow : defaultFrameLimits
    const bound = limits.headerSection + Math.max(limits.nonSendBody, INTERRUPTIBLE_ABOVE) + 64
    const most = pick([1, 3, 20, 200])
    const whole = new Recorder(limits).push(stream)

    const parts = new Recorder(limits)
    let held = 0
    parts.push(stream, () => {
      held = Math.max(held, parts.decoder.held)
      return 1 + random(most)
    })

    // Frame by frame, each only when it is wanted.
    const slow = new Recorder(limits)
    slow.hold = true
    slow.push(stream, () => {
      if (random(3) === 0) slow.decoder.resume()
      return 1 + random(200)
    })
    for (let before = -1; before !== slow.frames.length;) {
      before = slow.frames.length
      slow.decoder.resume()
    }

    const result = ({ decoder, seen }: Recorder): string => JSON.stringify([seen, decoder.held])
    const expected = result(whole)
    if (whole.broken_.length > 1 || held > bound || result(parts) !== expected || result(slow) !== expected) {
      assert.deepStrictEqual(
        { broken: whole.broken_.slice(1), held: held > bound, parts: result(parts), slow: result(slow) },
        { broken: [], held: false, parts: expected, slow: expected },
        `seed ${SEED}, stream ${run}: ${JSON.stringify(stream.toString("latin1"))}`
      )
    }
  }
}, fuzzLimit(FRAMES))
