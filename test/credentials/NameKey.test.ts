import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { Attempts } from "../../src/authenticator/Attempts.ts"
import { Credentials } from "../../src/Credentials.ts"
import { layerCached } from "../../src/credentials/Cached.ts"
import { nameKey } from "../../src/credentials/NameKey.ts"
import { digestLimits } from "../../src/protocol/digest/Parameters.ts"

setFlagsFromString("--expose-gc")
const collect = runInNewContext("gc") as () => void

/** Octets of the heap that are in use. */
const inUse = (): number => {
  collect()
  collect()
  return process.memoryUsage().heapUsed
}

const NAMES = 1000
/** As long as may be, and made anew. */
const name = (i: number): string => Buffer.from(`${i}`.padEnd(digestLimits.value, "n")).toString("latin1")

it("a name is told from every other one", () => {
  const names = ["", "alice", "a".repeat(64), "a".repeat(65), "a".repeat(66), name(1), name(2)]
  assert.strictEqual(new Set(names.map(nameKey)).size, names.length)
  assert.strictEqual(nameKey(name(1)), nameKey(name(1)))
  assert.strictEqual(nameKey("alice"), "alice")
  assert.include(nameKey(name(1)), "\n", "which no name has")
})

it.effect("R4976-9.3-06: of names that strangers make up little is remembered, however long they are", () =>
  Effect.gen(function*() {
    const attempts = new Attempts({}, () => 0)
    const { lookup, recheck } = yield* Credentials
    const guess = Effect.fnUntraced(function*(i: number) {
      const attempt = attempts.begin({ username: name(i), realm: "r", source: `192.0.2.${i}`, relay: undefined })!
      const user = { username: name(i), realm: "r" }
      yield* lookup(user)
      yield* recheck!(user)
      attempt.failed()
      attempt.end()
    })
    yield* guess(0)
    const before = inUse()
    for (let i = 1; i <= NAMES; i++) yield* guess(i)
    assert.isBelow(inUse() - before, NAMES * 3000)
  }).pipe(
    Effect.provide(
      layerCached(Layer.succeed(Credentials, Credentials.make(() => Effect.succeed(Option.none()), ["MD5"])))
    )
  ))
