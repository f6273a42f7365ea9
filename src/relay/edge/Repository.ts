/**
 * A repository of sessions that never throws: one of somebody's own is called where octets are read, and what it throws
 * there would end more than a session.
 */
import * as Effect from "effect/Effect"
import type { Sessions } from "../Session.ts"

/** `run` forks a fiber that ends with the relay. Each kind of defect is logged once, since every message may meet it. */
export const withoutDefects = (
  sessions: Sessions,
  run: (effect: Effect.Effect<void>) => void
): Sessions => {
  const told = new Set<string>()
  const tell = (what: keyof Sessions, error: unknown): void => {
    if (told.has(what)) return
    told.add(what)
    // Only what kind of error it is: its words may have a session-id in them.
    const kind = error instanceof Error ? error.name : typeof error
    run(Effect.annotateLogs(Effect.logError("The session repository is broken"), { method: what, error: kind }))
  }
  return {
    /** A session that cannot be found is none. */
    findUnsafe: (id) => {
      try {
        return sessions.findUnsafe(id)
      } catch (error) {
        tell("findUnsafe", error)
        return undefined
      }
    },
    end: (session, reason) => {
      try {
        sessions.end(session, reason)
      } catch (error) {
        tell("end", error)
      }
    },
    onEnd: sessions.onEnd === undefined ? undefined : (listener) => {
      try {
        sessions.onEnd?.(listener)
      } catch (error) {
        tell("onEnd", error)
      }
    },
    endAllOf: (owner) => {
      try {
        sessions.endAllOf(owner)
      } catch (error) {
        tell("endAllOf", error)
      }
    },
    size: () => {
      try {
        return sessions.size()
      } catch (error) {
        tell("size", error)
        return 0
      }
    }
  }
}
