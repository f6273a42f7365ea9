/** A relay for clients by WebSocket, on the network that the test is given. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Redacted from "effect/Redacted"
import { Authenticator } from "../../src/Authenticator.ts"
import { Codec } from "../../src/Codec.ts"
import { Credentials } from "../../src/Credentials.ts"
import { Relay, type RelayOptions } from "../../src/Relay.ts"
import { SessionRepo } from "../../src/SessionRepo.ts"
import { SocketSelector } from "../../src/SocketSelector.ts"
import { type LocalSocket, Transport } from "../../src/Transport.ts"

export const PASSWORD = "wonderland"

/** Runs until its scope closes. Users alice and bob have the same password. */
export const startRelay = Effect.fnUntraced(function*(socket: LocalSocket, options: Partial<RelayOptions> = {}) {
  const listen = [socket]
  const secret = { _tag: "Password", password: Redacted.make(PASSWORD) } as const
  const services = yield* Layer.build(
    Relay.layer({ listen, plaintextAuth: "always", limits: { drain: 0 }, ...options }).pipe(
      Layer.provide([
        Logger.layer([]),
        Layer.succeed(Transport, yield* Transport),
        Codec.layer,
        SessionRepo.layerMemory(),
        SocketSelector.layerDefault(listen),
        Authenticator.layerDigest().pipe(
          Layer.provide(Credentials.layerMemory([{ username: "alice", secret }, { username: "bob", secret }]))
        )
      ])
    )
  )
  return Context.get(services, Relay)
})
