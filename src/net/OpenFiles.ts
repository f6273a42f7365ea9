/** The limit of open files of this process. */
import * as Effect from "effect/Effect"
import { readFile } from "node:fs/promises"

const LIMITS = "/proc/self/limits"

/** The soft limit, which Node raises to the hard limit at its start; undefined if unlimited or unknown. */
export const openFilesAllowed: Effect.Effect<number | undefined> = Effect.tryPromise(() => readFile(LIMITS, "utf8"))
  .pipe(
    Effect.map((text) => /^Max open files\s+(\d+)/m.exec(text)?.[1]),
    Effect.map((soft) => soft === undefined ? undefined : Number(soft)),
    Effect.orElseSucceed(() => undefined)
  )
