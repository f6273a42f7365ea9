/** TLS handshakes of those who connect to a listener. */
import * as Effect from "effect/Effect"
import type * as Net from "node:net"
import * as Tls from "node:tls"
import { Crowd } from "../net/Crowd.ts"
import { networkOf } from "../net/Network.ts"
import type { Certificates } from "./Certificates.ts"
import { type Ends, endsOf } from "./Ends.ts"

export interface HandshakeLimits {
  /** Seconds within which a handshake must be finished. */
  readonly setupTimeout: number
  /** The most that are under way; the oldest of the address that has most of them goes for a new one. */
  readonly maxHandshakes: number
}

export class Handshakes {
  /** It listens nowhere: sockets are handed to it. */
  readonly #server: Tls.Server
  readonly #unfollow: () => void
  readonly #limits: HandshakeLimits
  readonly #underWay = new Map<string, (stream: Tls.TLSSocket) => void>()
  readonly #crowd = new Crowd<Net.Socket>(networkOf)

  constructor(certificates: Certificates, limits: HandshakeLimits) {
    const server = Tls.createServer({
      ...certificates.server(),
      requestCert: true,
      rejectUnauthorized: false,
      handshakeTimeout: NEVER
    })
    server.on("tlsClientError", (_, stream) => stream.destroy())
    server.on("secureConnection", (stream) => {
      const ends = endsOf(stream)
      const secured = ends === undefined ? undefined : this.#underWay.get(keyOf(ends))
      if (secured === undefined) stream.destroy()
      else secured(stream)
    })
    this.#server = server
    this.#unfollow = certificates.onChange((context) => server.setSecureContext(context))
    this.#limits = limits
  }

  /** No socket comes in any more. */
  close(): void {
    this.#unfollow()
  }

  /** Does the handshake on a socket, and goes on with what `next` makes of it; the socket is gone if it fails. */
  run(raw: Net.Socket, ends: Ends, next: (stream: Tls.TLSSocket) => Effect.Effect<void>): Effect.Effect<void> {
    const { maxHandshakes, setupTimeout } = this.#limits
    const crowd = this.#crowd
    const key = keyOf(ends)
    let rest: Effect.Effect<void> | undefined
    return Effect.callback<void>((resume) => {
      raw.once("close", () => resume(Effect.void))
      this.#server.emit("connection", raw)
      crowd.add(ends.remote.host, raw)
      if (crowd.size > maxHandshakes) crowd.takeFirst()!.destroy()
      this.#underWay.set(key, (stream) => {
        // At once: octets may follow in the same read.
        rest = next(stream)
        resume(Effect.void)
      })
    }).pipe(
      Effect.timeoutOrElse({ duration: setupTimeout * 1000, orElse: () => Effect.void }),
      Effect.ensuring(Effect.sync(() => {
        this.#underWay.delete(key)
        crowd.delete(ends.remote.host, raw)
      })),
      Effect.andThen(Effect.suspend(() => rest ?? Effect.sync(() => raw.destroy()))),
      Effect.onInterrupt(() => Effect.sync(() => raw.destroy()))
    )
  }
}

const keyOf = ({ local, remote }: Ends): string => `${local.host} ${remote.host} ${remote.port}`

/** Longer than any handshake may take: the limit comes from the `Clock`. */
const NEVER = 0x7fff_ffff
