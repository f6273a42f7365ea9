/**
 * Preloaded into a relay (`node --import`): how long its event loop stood still at most, in milliseconds, since it was
 * asked last. Written to the file BENCH_PAUSES on SIGUSR2 and at the end.
 */
import { writeFileSync } from "node:fs"

const file = process.env["BENCH_PAUSES"]!

/** Milliseconds between two looks; a shorter pause is not noticed. */
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
