/** The limit of open files of this process. */
import * as Effect from "effect/Effect"
import { readFile } from "node:fs/promises"

const LIMITS = "/proc/self/limits"

/** RLIMIT_NOFILE; `Infinity` for `unlimited`. Node raises the soft limit to the hard limit when it starts. */
export interface DescriptorLimits {
  readonly soft: number
  readonly hard: number
}

/** The limits in the text of /proc/self/limits; undefined if it does not have them. */
export const limitsIn = (text: string): DescriptorLimits | undefined => {
  const [, soft, hard] = /^Max open files\s+(\d+|unlimited)\s+(\d+|unlimited)\s/m.exec(text) ?? []
  return soft === undefined || hard === undefined ? undefined : { soft: countOf(soft), hard: countOf(hard) }
}

const countOf = (text: string): number => text === "unlimited" ? Infinity : Number(text)

/** The soft limit; undefined if unlimited or unknown. */
export const openFilesAllowed: Effect.Effect<number | undefined> = Effect.tryPromise(() => readFile(LIMITS, "utf8"))
  .pipe(
    Effect.map((text) => limitsIn(text)?.soft),
    Effect.map((soft) => soft === Infinity ? undefined : soft),
    Effect.orElseSucceed(() => undefined)
  )
