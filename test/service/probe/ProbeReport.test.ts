import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as TestConsole from "effect/testing/TestConsole"
import { asJson, barOf, inLines } from "../../../src/service/probe/ProbeReport.ts"

const MIB = 1_048_576

it("a bar fits into the columns, however few, and says how much there is", () => {
  assert.strictEqual(barOf(10 * MIB, 20 * MIB, 80), `[${"#".repeat(20)}${".".repeat(20)}]  50 %  10.0 of 20.0 MiB`)
  assert.strictEqual(barOf(0, 0, 80), `[${"#".repeat(40)}] 100 %  0.0 of 0.0 MiB`)
  assert.strictEqual(barOf(MIB, 3 * MIB, 30), "33 %  1.0 of 3.0 MiB")
  for (let columns = 1; columns < 120; columns++) assert.isBelow(barOf(MIB, 3 * MIB, columns).length, columns)
})

it.effect("a bar is drawn ten times a second at most, and is gone when the step is over", () =>
  Effect.gen(function*() {
    const written: Array<string> = []
    const report = inLines({ columns: 80, write: (text) => written.push(text) })
    for (let octets = 0; octets < 100; octets++) yield* report.moved(octets, 1000)
    assert.lengthOf(written, 1)
    yield* TestClock.adjust("100 millis")
    yield* report.moved(100, 1000)
    assert.isTrue(written.at(-1)!.startsWith(`\r\u001b[K[${"#".repeat(4)}${".".repeat(36)}]  10 %`))
    yield* report.step({ name: "file", ok: true, millis: 100, detail: "9 MiB/s" })
    assert.strictEqual(written.at(-1), "\r\u001b[K")
    assert.lengthOf(written, 3)
    assert.deepStrictEqual(yield* TestConsole.logLines, ["ok         100 ms  file: 9 MiB/s"])
  }))

it.effect("JSON is one document, with what is wrong", () =>
  Effect.gen(function*() {
    const step = { name: "connect", ok: false, millis: 3, detail: "" }
    yield* asJson.began("msrp://relay.example.com:2855")
    yield* asJson.step(step)
    const verdict = { relay: "msrp://relay.example.com:2855", user: "alice", millis: 3, steps: [step] }
    yield* asJson.ended({ ...verdict, failure: "connect: nobody listens" })
    const [text, ...others] = yield* TestConsole.logLines
    assert.deepStrictEqual(others, [])
    assert.deepStrictEqual(JSON.parse(String(text)), { ok: false, ...verdict, failure: "connect: nobody listens" })
    yield* asJson.ended({ ...verdict, failure: undefined })
    assert.isTrue(JSON.parse(String((yield* TestConsole.logLines)[1])).ok)
  }))
