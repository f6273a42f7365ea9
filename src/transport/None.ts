/**
 * No sockets: what stands in a browser in the place of `NodeTransport` and `testing/TestNetwork`, which need Node, and of
 * `CertificateFault`, which is never told there. A browser has the transport of `src/browser/WebSocketTransport.ts`.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"

export const make = (): Effect.Effect<never> => Effect.die(new Error("there are no sockets here: use layerWebSocket"))

export class TestNetwork extends Context.Service<TestNetwork, never>()("msrp-relay/TestNetwork") {}

export class CertificateFault extends Error {}
