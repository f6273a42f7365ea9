import { assert, it } from "vitest"
import { SLOW } from "../../../src/relay/Loss.ts"
import type { Way } from "../../../src/relay/route/Forward.ts"
import type { Parked } from "../../../src/relay/route/Parked.ts"
import type { Stream } from "../../../src/relay/route/Stream.ts"
import { undelivered } from "../../../src/relay/route/Undelivered.ts"

const way = {} as Way

/** Two parts of a chunk and its end, or none where that is still to come. */
const chunk = (name: string, log: Array<string>, ended = true): ReadonlyArray<Parked> => {
  const one = {
    refused: false,
    fail: (_: unknown, octets: number, flag: string) => {
      one.refused = true
      log.push(`${name} ${octets}${flag}`)
    }
  }
  const stream = one as unknown as Stream
  const part = (octets: number): Parked => ({ kind: "part", stream, octets: Buffer.alloc(octets) })
  return [
    part(10),
    part(5),
    ...(ended ? [{ kind: "end", stream, flag: "$", accepted: undefined, counted: 0 } as const] : [])
  ]
}

it("fails at once what may be open where it was written to, before anybody else writes there, and that of which more may come", () => {
  const log: Array<string> = []
  const parked = [...chunk("first", log), ...chunk("second", log), ...chunk("last", log, false)]
  const steps = undelivered(way, parked, 0, 4, SLOW)[Symbol.iterator]()
  steps.next()
  assert.deepStrictEqual(log, ["last 15+", "first 11$"])
  while (steps.next().done !== true);
  assert.deepStrictEqual(log, ["last 15+", "first 11$", "second 15$"])
})
