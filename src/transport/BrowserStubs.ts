/**
 * Replacements in a browser for modules that need Node (`browser` in package.json): `NodeTransport`, `Duplex`,
 * `testing/TestNetwork`, `CertificateFault` and `net/ErrorWords`. The transport of a browser is `src/browser/WebSocketTransport.ts`.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"

export const make = (): Effect.Effect<never> => Effect.die(new Error("there are no sockets here: use layerWebSocket"))

export const makeDuplexes = Effect.suspend(make)

export class TestNetwork extends Context.Service<TestNetwork, never>()("msrp-relay/TestNetwork") {}

export class CertificateFault extends Error {}

export const errorWords: ReadonlyMap<string, string> = new Map()
