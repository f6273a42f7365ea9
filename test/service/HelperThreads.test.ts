import { assert, describe, it } from "@effect/vitest"
import { execFileSync } from "node:child_process"
import { getPriority } from "node:os"
import { fileURLToPath } from "node:url"

const module = fileURLToPath(new URL("../../src/service/HelperThreads.ts", import.meta.url))

/** The names and the nice values of all threads of a process; the name stands in brackets, and the value 16 fields behind it. */
const program = `
const { readdirSync, readFileSync } = require("node:fs")
const threads = readdirSync("/proc/self/task").map((task) => {
  const stat = readFileSync("/proc/self/task/" + task + "/stat", "utf8")
  const end = stat.lastIndexOf(")")
  return [stat.slice(stat.indexOf("(") + 1, end), Number(stat.slice(end + 2).split(" ")[16])]
})
console.log(JSON.stringify(threads))`

/** The nice values that threads have, of V8's helpers and of the others. */
const nice = (before: ReadonlyArray<string>) => {
  const [command, ...args] = [...before, process.execPath, `--import=${module}`, "-e", program]
  const threads = JSON.parse(execFileSync(command, args, { encoding: "utf8" })) as Array<[string, number]>
  const [helpers, others] = [new Set<number>(), new Set<number>()]
  for (const [name, value] of threads) (name === "V8Worker" ? helpers : others).add(value)
  return { helpers: [...helpers], others: [...others] }
}

describe.runIf(process.platform === "linux")("V8's helper threads", () => {
  it("have a lower priority than the event loop", () => {
    const own = getPriority()
    assert.deepStrictEqual(nice([]), { helpers: [Math.min(own + 5, 19)], others: [own] })
  })

  it("have the lowest priority at most", () => {
    assert.deepStrictEqual(nice(["nice", "-n", "17"]), { helpers: [19], others: [Math.min(getPriority() + 17, 19)] })
  })
})
