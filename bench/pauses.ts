/**
 * Is loaded into a relay before its own code (`node --import`). Writes the longest pause of the event loop since the last time,
 * in milliseconds, to the file that BENCH_PAUSES names: on SIGUSR2, and at the end.
 */
import { writeFileSync } from "node:fs"

const file = process.env["BENCH_PAUSES"]!

/** Milliseconds between two checks; shorter pauses are not seen. */
const INTERVAL = 5

let last = performance.now()
let longest = 0

const look = (): void => {
  const now = performance.now()
  longest = Math.max(longest, now - last - INTERVAL)
  last = now
}

const write = (): void => {
  look()
  writeFileSync(file, String(longest))
  longest = 0
}

setInterval(look, INTERVAL).unref()
process.on("SIGUSR2", write)
process.once("exit", write)
