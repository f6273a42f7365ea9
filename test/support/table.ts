/** A table of sessions that is cleaned up, and no relay around it. */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Relay, type SessionOptions } from "../../src/Relay.ts"
import { addTo, makeSweptTable } from "../../src/relay/edge/SweptTable.ts"
import type { NewSession } from "../../src/relay/Session.ts"
import { defaultSessionRules } from "../../src/relay/SessionTable.ts"

export const layerTable = ({ cleanupInterval = "1 minute", ...rules }: SessionOptions = {}): Layer.Layer<Relay> =>
  Layer.effect(
    Relay,
    Effect.gen(function*() {
      const sessions = yield* makeSweptTable(yield* Clock.Clock, {
        ...defaultSessionRules,
        ...rules as object,
        cleanupInterval: Duration.toMillis(cleanupInterval)
      })
      return { sessions } as Relay["Service"]
    })
  )

/** Those of `layerTable`, or of a relay. */
export const tableOf = Effect.map(Relay, ({ sessions }) => sessions)

/** A session where there is room. */
export const create = (session: NewSession) => Effect.flatMap(tableOf, (table) => addTo(table, session))
