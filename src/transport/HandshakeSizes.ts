/**
 * Ends TLS handshakes that bring more octets than they need. OpenSSL keeps up to 128 KiB of a message that is not there as a whole, a
 * ClientHello or a certificate chain, and has no option for it. Node tells nobody what comes in, so this looks again and again.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as Net from "node:net"
import { HANDSHAKE, MAX_CERTIFICATES } from "./PeerCertificate.ts"

/** Milliseconds between two looks. */
export const LOOK = 500

interface UnderWay {
  readonly most: number
  readonly ended: () => void
}

export class HandshakeSizes {
  readonly #underWay = new Map<Net.Socket, UnderWay>()

  /**
   * Watches the handshake on a socket until `done` is called. `asked`: whether the peer has certificates to send. If it is too long,
   * `ended` is called, and then the socket is destroyed.
   *
   * An honest handshake stays far below: the largest hello is one of 4 KB, with key shares against quantum computers (1.2 to 1.7 KB each) and
   * Encrypted Client Hello, and comes twice at most. A longer chain would be refused at the end.
   */
  watch(raw: Net.Socket, asked: boolean, ended: () => void): void {
    this.#underWay.set(raw, { most: HANDSHAKE + (asked ? MAX_CERTIFICATES : 0), ended })
  }

  done(raw: Net.Socket): void {
    this.#underWay.delete(raw)
  }

  look(): void {
    for (const [raw, { ended, most }] of this.#underWay) {
      if (raw.bytesRead <= most) continue
      this.#underWay.delete(raw)
      ended()
      raw.destroy()
    }
  }
}

/** Looks as long as the scope is open. */
export const makeHandshakeSizes: Effect.Effect<HandshakeSizes, never, Scope.Scope> = Effect.gen(function*() {
  const sizes = new HandshakeSizes()
  yield* Effect.sync(() => sizes.look()).pipe(Effect.delay(LOOK), Effect.forever, Effect.forkScoped)
  return sizes
})
