import * as Effect from "effect/Effect"
import { ok } from "node:assert/strict"
import { type SocketRequest, SocketSelector } from "../SocketSelector.ts"
import type { LocalSocket } from "../Transport.ts"
import { type Contract, limited, NASTY } from "./Contract.ts"

/**
 * Tests the contract of a `SocketSelector`, given the sockets that the relay listens on.
 *
 * @category testing
 * @since 0.2.0
 */
export const socketSelectorContract = (sockets: ReadonlyArray<LocalSocket>): Contract<SocketSelector> => {
  const requests: ReadonlyArray<SocketRequest> = [undefined, ...sockets].flatMap((inbound) =>
    (["msrp", "msrps"] as const).flatMap((scheme) =>
      ["peer.example.com", "192.0.2.7", "2001:db8::7", "localhost", ...NASTY].map((host) => ({
        source: { host: "192.0.2.1", port: 49_152 },
        protocol: inbound?.scheme === "msrps" ? "tls" as const : "tcp" as const,
        inbound,
        destination: { scheme, host, port: 2855 }
      }))
    )
  )
  return limited([
    {
      title: "gives a socket of the destination's scheme, or none in particular",
      run: Effect.gen(function*() {
        const { select } = yield* SocketSelector
        for (const request of requests) {
          const chosen = yield* select(request)
          ok(chosen !== null, "null is neither a socket nor undefined")
          ok(
            chosen === undefined || chosen.scheme === request.destination.scheme,
            `${chosen?.scheme} for ${request.destination.scheme}`
          )
          ok(chosen === undefined || typeof chosen.host === "string", "a socket without a host")
        }
      })
    }
  ])
}
