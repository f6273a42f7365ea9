/**
 * Descriptors that run out. libuv closes then what comes in, and tells nobody (`uv__emfile_trick`): so it is looked for, once there
 * have been connections and as long as there are none left.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { closeSync, openSync } from "node:fs"
import { monotonicMillis } from "../clock/Monotonic.ts"
import { codeOf, wordsOf } from "../net/ErrorCode.ts"
import type { TransportCounters } from "./TransportFacts.ts"

const LOOK = "1 second"

/** Milliseconds between two lines about it. */
const QUIET = 60_000

const GONE = new Set(["EMFILE", "ENFILE"])

/** Fewer are none: something or other takes one for a moment now and then, and lets go of it. */
const FEW = 8

/** Why there are none left, if there are none. */
export const lacking = (): string | undefined => {
  const open: Array<number> = []
  try {
    while (open.length < FEW) open.push(openSync("/", "r"))
    return undefined
  } catch (error) {
    return GONE.has(codeOf(error)) ? wordsOf(error) : undefined
  } finally {
    for (const one of open) closeSync(one)
  }
}

/** What it gives is told of each connection that came in. */
export const makeDescriptorWatch = (
  counters: TransportCounters,
  run: (effect: Effect.Effect<void>) => void,
  look: () => string | undefined = lacking
): () => void => {
  let watching = false
  let toldAt = -Infinity
  const watch = Effect.gen(function*() {
    yield* Effect.sleep(LOOK)
    for (let reason = look(); reason !== undefined; reason = look()) {
      counters.acceptsFailed++
      const now = monotonicMillis(yield* Clock.Clock)
      if (now - toldAt >= QUIET) {
        toldAt = now
        yield* Effect.annotateLogs(Effect.logWarning("accept failed"), { reason })
      }
      yield* Effect.sleep(LOOK)
    }
  }).pipe(Effect.ensuring(Effect.sync(() => watching = false)))
  return () => {
    if (watching) return
    watching = true
    run(watch)
  }
}
