/**
 * Notices when file descriptors run out, and reserves some. Connections, accepted or dialled for a user, must not take the last
 * ones: health checks would get no answer, systemd no watchdog message, and the users' backend could not be queried. If there are
 * none left at all, libuv closes new connections without an error (`uv__emfile_trick`), so that is tested for while connections
 * come in.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { closeSync, openSync } from "node:fs"
import { monotonicMillis } from "../clock/Monotonic.ts"
import { codeOf, wordsOf } from "../net/ErrorCode.ts"
import type { TransportCounters } from "./TransportFacts.ts"

/** The interval of the test while descriptors are lacking, and its delay after a connection. */
const LOOK = "1 second"

/** Milliseconds between two log lines. */
const QUIET = 60_000

const GONE = new Set(["EMFILE", "ENFILE"])

/** Fewer free descriptors than this count as none: some are taken for a moment now and then. */
const FEW = 8

/** The lowest descriptor that is free; if none is left, the reason in words; undefined if it cannot be told. */
const free = (): number | string | undefined => {
  const open: Array<number> = []
  try {
    while (open.length < FEW) open.push(openSync("/", "r"))
    return open[0]
  } catch (error) {
    return GONE.has(codeOf(error)) ? wordsOf(error) : undefined
  } finally {
    for (const one of open) closeSync(one)
  }
}

/** Descriptors reserved for the relay: scrapes, the admin API, the backend of users, files that are read again. */
const OWN = 200

const NONE_FOR_CLIENTS = "those file descriptors that are left are for the relay itself"

interface DescriptorWatchOptions {
  readonly counters: TransportCounters
  readonly run: (effect: Effect.Effect<void>) => void
  /** The most descriptors that the process may have; undefined where unknown. */
  readonly allowed?: number | undefined
  /** Replaces `free` in tests. */
  readonly look?: typeof free | undefined
}

export interface DescriptorWatch {
  /**
   * To be called with the descriptor of each accepted connection; whether the connection may be kept. The system assigns the
   * lowest free number, so at least as many descriptors are open.
   */
  readonly admits: (descriptor?: number) => boolean
  /**
   * Why no connection may be dialled now, in words. Nothing is reserved before a connection was accepted: a program may only
   * dial.
   */
  readonly refusal: () => string | undefined
  /** Why no connection may be kept now, in words. Known once one has been refused, and until there is room for one. */
  readonly fault: () => string | undefined
}

export const makeDescriptorWatch = (
  { allowed = Infinity, counters, look: lowest = free, run }: DescriptorWatchOptions
): DescriptorWatch => {
  let watching = false
  let refused = false
  let fault: string | undefined
  let first: number | undefined
  const mayBeHad = (descriptor: number): boolean => {
    if (descriptor < 0) return true
    first ??= descriptor
    // If few are allowed, at most a quarter is reserved.
    return descriptor < allowed - Math.min(OWN, Math.floor((allowed - first) / 4))
  }
  const now = (): string | undefined => {
    const found = lowest()
    return typeof found !== "number" ? found : mayBeHad(found) ? undefined : NONE_FOR_CLIENTS
  }
  const look = (): string | undefined => {
    fault = refused ? NONE_FOR_CLIENTS : now()
    refused = false
    return fault
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
  const begin = (): void => {
    if (watching) return
    watching = true
    run(watch)
  }
  return {
    admits: (descriptor = -1) => {
      const had = mayBeHad(descriptor)
      refused ||= !had
      if (!had) fault = NONE_FOR_CLIENTS
      begin()
      return had
    },
    refusal: () => {
      const reason = first === undefined ? undefined : now()
      if (reason !== undefined) {
        fault = reason
        begin()
      }
      return reason
    },
    fault: () => fault
  }
}
