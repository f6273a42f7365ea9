/**
 * Descriptors that run out. The last ones are the relay's own: where those who connect took them, whoever asks whether it is well would
 * have no answer, systemd no sign of life, and the users could not be asked. For what others take, libuv closes then what comes in, and tells nobody (`uv__emfile_trick`): so it is looked for, once there
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

/** Descriptors that connections do not take: for a scrape, the admin API, the backend of users, files that are read again. */
const OWN = 200

const NONE_FOR_CLIENTS = "those file descriptors that are left are for the relay itself"

export interface DescriptorWatchOptions {
  readonly counters: TransportCounters
  readonly run: (effect: Effect.Effect<void>) => void
  /** How many there may be; undefined where nobody knows. */
  readonly allowed?: number | undefined
  readonly look?: (() => string | undefined) | undefined
}

/**
 * What it gives is told of each connection that came in, by its descriptor, and says whether that may be had. The system gives the
 * lowest number that is free: so many are open at least.
 */
export const makeDescriptorWatch = (
  { allowed = Infinity, counters, look: lack = lacking, run }: DescriptorWatchOptions
): (descriptor?: number) => boolean => {
  let watching = false
  let refused = false
  let first: number | undefined
  const mayBeHad = (descriptor: number): boolean => {
    if (descriptor < 0) return true
    first ??= descriptor
    // Of few, most are still for those who connect.
    return descriptor < allowed - Math.min(OWN, Math.floor((allowed - first) / 4))
  }
  const look = (): string | undefined => {
    const reason = refused ? NONE_FOR_CLIENTS : lack()
    refused = false
    return reason
  }
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
  return (descriptor = -1) => {
    const had = mayBeHad(descriptor)
    refused ||= !had
    if (!watching) {
      watching = true
      run(watch)
    }
    return had
  }
}
