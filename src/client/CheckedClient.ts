/** The client as programs have it: an operation with options that cannot be used fails before anything is sent. */
import * as Effect from "effect/Effect"
import type { Client } from "./Endpoint.ts"
import { guardedSend } from "./GuardedOptions.ts"
import { checkAuth, checkOctets, checkReport, checkRequest, checkRespond, checkSend } from "./OptionChecks.ts"

/** Checks and guards the options of each operation before the connection sees them. */
export const checked = (client: Client): Client => ({
  ...client,
  auth: (options) => Effect.andThen(checkAuth(options, client), Effect.suspend(() => client.auth(options))),
  request: (options) => Effect.andThen(checkRequest(options, client), Effect.suspend(() => client.request(options))),
  post: (options) => Effect.andThen(checkRequest(options, client), Effect.suspend(() => client.post(options))),
  send: (options) => Effect.andThen(checkSend(options, client), Effect.flatMap(guardedSend(options), client.send)),
  respond: (request, status, options) =>
    Effect.andThen(
      checkRespond({ ...options, request, status }),
      Effect.suspend(() => client.respond(request, status, options ?? {}))
    ),
  report: (send, about) =>
    Effect.andThen(checkReport({ ...about, send }), Effect.suspend(() => client.report(send, about))),
  sendOctets: (octets) => Effect.andThen(checkOctets({ octets }), Effect.suspend(() => client.sendOctets(octets)))
})
