import { assert, it } from "@effect/vitest"
import { execFileSync } from "node:child_process"
import { fileURLToPath } from "node:url"

const heap = fileURLToPath(new URL("../../src/service/Heap.ts", import.meta.url))

/** Octets that are in use, those that the heap ever has beside what there was, and those that pass through it. */
const LIVE = 32_000_000
const MOST = 3.5 * LIVE
const CHURN = 8 * LIVE

/** Texts that are old when nobody uses them any more. */
const program = `
const texts = []
const before = process.memoryUsage().heapUsed
let most = 0
for (let i = 0; i < ${CHURN / 8000}; i++) {
  texts[i % ${LIVE / 8000}] = Buffer.alloc(8000, 65 + i % 26).toString("latin1")
  if (i % 100 === 0) most = Math.max(most, process.memoryUsage().heapUsed - before)
}
console.log(most)`

const most = (...imported: ReadonlyArray<string>): number =>
  Number(execFileSync(process.execPath, ["--max-semi-space-size=8", ...imported, "-e", program], { encoding: "utf8" }))

it("R4976-9.3-06: what nobody uses any more is given back before the heap is much larger than what is used", () => {
  assert.isAtMost(most(`--import=${heap}`), MOST)
})
