/** TLS handshakes of those who connect to a listener. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"
import type * as Net from "node:net"
import * as Tls from "node:tls"
import { monotonicMillis } from "../clock/Monotonic.ts"
import { Crowd } from "../net/Crowd.ts"
import { networkOf } from "../net/Network.ts"
import type { Certificates } from "./Certificates.ts"
import { type Ends, endsOf } from "./Ends.ts"
import { HandshakeBudget } from "./HandshakeBudget.ts"
import { HandshakeLog, handshakeWords } from "./HandshakeLog.ts"
import { proofOf } from "./PeerCertificate.ts"

export interface HandshakeLimits {
  /** Seconds within which a handshake must be finished, its wait for others of its address included. */
  readonly setupTimeout: number
  /** The most that are under way; the oldest of the address that has most of them goes for a new one. */
  readonly maxHandshakes: number
  /** Of one address: how many are under way at a time, and how many there are in a second; further ones wait. */
  readonly maxHandshakesPerAddress: number
  readonly handshakeRate: number
  /** Whether the two do not count for an address. */
  readonly isExempt: (address: string) => boolean
}

/** Of one address where a certificate is asked for: to verify the worst takes a tenth of a second, and is counted afterwards. */
const ASKED_AT_ONCE = 8

/** The turns of one address. */
interface Turns {
  readonly semaphore: Semaphore.Semaphore
  users: number
}

export class Handshakes {
  /** It listens nowhere: sockets are handed to it. */
  readonly #server: Tls.Server
  readonly #unfollow: () => void
  readonly #limits: HandshakeLimits
  readonly #budget: HandshakeBudget
  /** Handshakes of one address under way. */
  readonly #slots: number
  readonly #underWay = new Map<string, (stream: Tls.TLSSocket) => void>()
  readonly #crowd = new Crowd<Net.Socket>(networkOf)
  readonly #turns = new Map<string, Turns>()
  /** Why those under way have failed, until that is told. */
  readonly #failures = new Map<string, string>()
  readonly #log = new HandshakeLog()

  /**
   * `asks`: for a certificate. A session that is resumed would keep what a certificate proved when it was shown, also when it
   * has expired since, and its ticket has no room for every certificate: so there are none then.
   */
  constructor(certificates: Certificates, asks: boolean, limits: HandshakeLimits) {
    const server = Tls.createServer({
      ...certificates.server(!asks),
      requestCert: asks,
      rejectUnauthorized: false,
      handshakeTimeout: NEVER
    })
    server.on("tlsClientError", (error, stream) => {
      const ends = endsOf(stream)
      if (ends !== undefined) this.#failures.set(keyOf(ends), handshakeWords(error))
      stream.destroy()
    })
    server.on("secureConnection", (stream) => this.#secured(stream))
    this.#server = server
    this.#unfollow = certificates.onChange(() => server.setSecureContext(certificates.server(!asks)))
    this.#limits = limits
    const { maxHandshakesPerAddress: slots } = limits
    this.#slots = asks && slots !== Infinity ? Math.min(slots, ASKED_AT_ONCE) : slots
    this.#budget = new HandshakeBudget(limits.handshakeRate, networkOf)
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
    const { host } = ends.remote
    let rest: Effect.Effect<void> | undefined
    const handshake = Effect.callback<void>((resume) => {
      if (raw.destroyed) return resume(Effect.void)
      raw.once("close", () => resume(Effect.void))
      this.#underWay.set(key, (stream) => {
        // At once: octets may follow in the same read.
        rest = next(stream)
        resume(Effect.void)
      })
      try {
        this.#server.emit("connection", raw)
      } catch {
        raw.destroy()
      }
    })
    return Effect.suspend(() => {
      crowd.add(host, raw)
      if (crowd.size > maxHandshakes) crowd.takeFirst()!.destroy()
      return this.#limits.isExempt(host) ? handshake : this.#inTurn(raw, host, handshake)
    }).pipe(
      Effect.timeoutOrElse({
        duration: setupTimeout * 1000,
        orElse: () => Effect.sync(() => this.#failures.set(key, "not finished in time"))
      }),
      Effect.ensuring(Effect.sync(() => {
        this.#underWay.delete(key)
        crowd.delete(host, raw)
      })),
      Effect.andThen(Effect.suspend(() => rest ?? this.#fails(raw, key, ends))),
      Effect.ensuring(Effect.sync(() => this.#failures.delete(key))),
      Effect.onInterrupt(() => Effect.sync(() => raw.destroy()))
    )
  }

  #fails(raw: Net.Socket, key: string, { remote }: Ends): Effect.Effect<void> {
    raw.destroy()
    return this.#log.tell(remote, this.#failures.get(key) ?? "its peer left, or there are too many under way")
  }

  /** Waits until the address may have another handshake; not at all when that would take too long. */
  #inTurn(raw: Net.Socket, host: string, handshake: Effect.Effect<void>): Effect.Effect<void> {
    const { handshakeRate, setupTimeout } = this.#limits
    const budget = this.#budget
    const counted = Effect.ensuring(handshake, Effect.sync(() => budget.spent(host, raw.bytesRead)))
    if (handshakeRate === Infinity) return this.#inSlot(host, handshake)
    // In its slot, so that those before it have been counted.
    return this.#inSlot(
      host,
      Clock.clockWith((clock) => {
        const wait = budget.reserve(host, monotonicMillis(clock), setupTimeout * 1000)
        return wait === undefined ? Effect.void : wait === 0 ? counted : Effect.delay(counted, wait)
      })
    )
  }

  #inSlot(host: string, handshake: Effect.Effect<void>): Effect.Effect<void> {
    if (this.#slots === Infinity) return handshake
    const network = networkOf(host)
    return Effect.suspend(() => {
      let turns = this.#turns.get(network)
      if (turns === undefined) {
        this.#turns.set(network, turns = { semaphore: Semaphore.makeUnsafe(this.#slots), users: 0 })
      }
      const used = turns
      used.users++
      return Effect.ensuring(
        used.semaphore.withPermit(handshake),
        Effect.sync(() => {
          if (--used.users === 0) this.#turns.delete(network)
        })
      )
    })
  }

  /** Called by Node, which would end the process if this threw. */
  #secured(stream: Tls.TLSSocket): void {
    try {
      const ends = endsOf(stream)
      const secured = ends === undefined ? undefined : this.#underWay.get(keyOf(ends))
      if (secured === undefined || proofOf(stream).tooLarge) stream.destroy()
      else secured(stream)
    } catch {
      stream.destroy()
    }
  }
}

const keyOf = ({ local, remote }: Ends): string => `${local.host} ${remote.host} ${remote.port}`

/** Longer than any handshake may take: the limit comes from the `Clock`. */
const NEVER = 0x7fff_ffff
