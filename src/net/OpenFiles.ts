/** How many files this process may have open. */
import * as Effect from "effect/Effect"
import { readFile } from "node:fs/promises"

const LIMITS = "/proc/self/limits"

/** The soft limit; undefined where there is none, or the system does not tell. Node raises it to the hard one when it starts. */
export const openFilesAllowed: Effect.Effect<number | undefined> = Effect.tryPromise(() => readFile(LIMITS, "utf8"))
  .pipe(
    Effect.map((text) => /^Max open files\s+(\d+)/m.exec(text)?.[1]),
    Effect.map((soft) => soft === undefined ? undefined : Number(soft)),
    Effect.orElseSucceed(() => undefined)
  )
