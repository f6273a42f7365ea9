/** TLS handshakes of those who connect to a listener. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"
import type * as Net from "node:net"
import * as Tls from "node:tls"
import { monotonicMillis } from "../clock/Monotonic.ts"
import { codeOf } from "../net/ErrorCode.ts"
import { networkOf } from "../net/Network.ts"
import type { Certificates } from "./Certificates.ts"
import { type Ends, endsOf, placeOf } from "./Ends.ts"
import { HandshakeBudget } from "./HandshakeBudget.ts"
import { HandshakeLog, handshakeWords } from "./HandshakeLog.ts"
import { InTheMaking } from "./InTheMaking.ts"
import { certificateOf, MAX_CERTIFICATES, MAX_UNVERIFIED_CERTIFICATES, showsMoreThan } from "./PeerCertificate.ts"
import { chainKept, keepChains } from "./PeerChain.ts"
import type { HandshakeFailure, TransportCounters } from "./TransportFacts.ts"

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
  /** It is a proxy, and speaks for many. */
  readonly isProxy: (address: string) => boolean
}

/**
 * The most handshakes of one address at a time where a certificate is asked for: the worst take a tenth of a second to verify,
 * which its budget is charged with only afterwards.
 */
const ASKED_AT_ONCE = 8

/** The turns of one address. */
interface Turns {
  readonly semaphore: Semaphore.Semaphore
  slots: number
  users: number
}

interface UnderWay {
  readonly secured: (stream: Tls.TLSSocket) => void
  /** `words`: the same for people. */
  readonly failed: (why: HandshakeFailure, words: string) => void
}

/** What OpenSSL calls octets that begin no TLS. */
const NO_TLS = new Set(["ERR_SSL_HTTP_REQUEST", "ERR_SSL_HTTPS_PROXY_REQUEST", "ERR_SSL_WRONG_VERSION_NUMBER"])

export class Handshakes {
  /** It listens nowhere: sockets are handed to it. */
  #server: Tls.Server
  /** It asks for a certificate. */
  #asks: boolean
  readonly #asksNow: () => boolean
  readonly #certificates: Certificates
  readonly #unfollow: () => void
  readonly #limits: () => HandshakeLimits
  readonly #budget: HandshakeBudget
  readonly #underWay = new Map<string, UnderWay>()
  readonly #making = new InTheMaking()
  readonly #turns = new Map<string, Turns>()
  readonly #counters: TransportCounters
  readonly #inSlices: (task: () => void) => void
  readonly #log = new HandshakeLog("TLS handshake failed")

  /**
   * `asks`: for a certificate. A session that is resumed would keep what a certificate proved when it was shown, also when it
   * has expired since, and its ticket has no room for every certificate: so there are none then. That, and the limits, are
   * asked for with each handshake, since they may change. `inSlices` runs a task in this turn of the event loop or a later one,
   * with so few others that the turn is short.
   */
  constructor(
    certificates: Certificates,
    asks: () => boolean,
    limits: () => HandshakeLimits,
    counters: TransportCounters,
    inSlices: (task: () => void) => void
  ) {
    this.#counters = counters
    this.#inSlices = inSlices
    this.#certificates = certificates
    this.#asksNow = asks
    this.#asks = asks()
    this.#server = this.#makeServer()
    this.#unfollow = certificates.onChange(() => this.#server.setSecureContext(certificates.server(!this.#asks)))
    this.#limits = limits
    this.#budget = new HandshakeBudget(limits().handshakeRate, networkOf)
  }

  #makeServer(): Tls.Server {
    const server = Tls.createServer({
      ...this.#certificates.server(!this.#asks),
      requestCert: this.#asks,
      rejectUnauthorized: false,
      handshakeTimeout: NEVER
    })
    if (this.#asks) keepChains(server)
    server.on("tlsClientError", (error, stream) => {
      const ends = endsOf(stream)
      if (ends !== undefined) {
        this.#underWay.get(keyOf(ends))?.failed(
          NO_TLS.has(codeOf(error)) ? "wrong protocol" : "failed",
          handshakeWords(error)
        )
      }
      stream.destroy()
    })
    server.on("secureConnection", (stream) => this.#secured(stream))
    return server
  }

  /** Another one when it is to ask now and did not, or the other way round: its tickets are none of the one before. */
  #serverNow(): Tls.Server {
    const asks = this.#asksNow()
    if (asks !== this.#asks) {
      this.#asks = asks
      this.#server = this.#makeServer()
    }
    return this.#server
  }

  /** Handshakes of one address under way. */
  get #slots(): number {
    const { maxHandshakesPerAddress: slots } = this.#limits()
    return this.#asks && slots !== Infinity ? Math.min(slots, ASKED_AT_ONCE) : slots
  }

  /** No socket comes in any more. */
  close(): void {
    this.#unfollow()
  }

  /**
   * Does the handshake on a socket, and goes on with what `next` makes of it; the socket is gone if it fails. `ends`: with the
   * address of the client where a proxy has told it.
   */
  run(raw: Net.Socket, ends: Ends, next: (stream: Tls.TLSSocket) => Effect.Effect<void>): Effect.Effect<void> {
    const { isExempt, isProxy, maxHandshakes, setupTimeout } = this.#limits()
    const making = this.#making
    // Node knows it by where its socket leads, not by who a proxy says that it is.
    const own = endsOf(raw)
    const key = own === undefined ? "" : keyOf(own)
    const { host } = ends.remote
    const place = placeOf(ends, isProxy)
    let rest: Effect.Effect<void> | undefined
    let failure: HandshakeFailure = "failed"
    let words = "its peer left"
    const failed: UnderWay["failed"] = (why, told) => {
      failure = why
      words = told
    }
    const handshake = Effect.callback<void>((resume) => {
      if (raw.destroyed || own === undefined) return resume(Effect.void)
      const closed = (): void => resume(Effect.void)
      raw.once("close", closed)
      this.#underWay.set(key, {
        failed,
        secured: (stream) => {
          // At once: octets may follow in the same read.
          rest = next(stream)
          // It would hold all of this as long as the connection.
          raw.off("close", closed)
          resume(Effect.void)
        }
      })
      // A thousand that come at once would all be answered in one turn, which takes a signature for each.
      raw.once("readable", () => this.#inSlices(() => this.#begins(raw)))
    })
    return Effect.suspend(() => {
      making.add(place, raw, maxHandshakes)
      return isExempt(host) || isProxy(host) ? handshake : this.#inTurn(raw, host, handshake, failed)
    }).pipe(
      Effect.timeoutOrElse({
        duration: setupTimeout * 1000,
        orElse: () => Effect.sync(() => failed("timed out", "not finished in time"))
      }),
      Effect.ensuring(Effect.sync(() => {
        this.#underWay.delete(key)
        making.delete(place, raw)
      })),
      Effect.andThen(Effect.suspend(() => {
        if (rest !== undefined) return rest
        const isEvicted = making.isEvicted(raw)
        this.#counters.handshakesFailed[isEvicted ? "too many" : failure]++
        raw.destroy()
        return this.#log.tell(ends.remote, isEvicted ? "too many are under way" : words)
      })),
      Effect.onInterrupt(() => Effect.sync(() => raw.destroy()))
    )
  }

  /** The first octets are there, or there will be none. */
  #begins(raw: Net.Socket): void {
    try {
      if (raw.readableLength > 0) this.#serverNow().emit("connection", raw)
      else raw.destroy()
    } catch {
      raw.destroy()
    }
  }

  /** Waits until the address may have another handshake; not at all when that would take too long. */
  #inTurn(
    raw: Net.Socket,
    host: string,
    handshake: Effect.Effect<void>,
    failed: UnderWay["failed"]
  ): Effect.Effect<void> {
    const { handshakeRate, setupTimeout } = this.#limits()
    const budget = this.#budget
    budget.perSecond = handshakeRate
    const counted = Effect.ensuring(handshake, Effect.sync(() => budget.spent(host, raw.bytesRead)))
    if (handshakeRate === Infinity) return this.#inSlot(host, handshake)
    // In its slot, so that those before it have been counted.
    return this.#inSlot(
      host,
      Clock.clockWith((clock) => {
        const wait = budget.reserve(host, monotonicMillis(clock), setupTimeout * 1000)
        if (wait === undefined) failed("too many", "too many of its address")
        return wait === undefined ? Effect.void : wait === 0 ? counted : Effect.delay(counted, wait)
      })
    )
  }

  #inSlot(host: string, handshake: Effect.Effect<void>): Effect.Effect<void> {
    const slots = this.#slots
    if (slots === Infinity) return handshake
    const network = networkOf(host)
    return Effect.suspend(() => {
      let turns = this.#turns.get(network)
      if (turns === undefined) {
        this.#turns.set(network, turns = { semaphore: Semaphore.makeUnsafe(slots), slots, users: 0 })
      }
      const used = turns
      used.users++
      const resized = used.slots === slots ? Effect.void : used.semaphore.resize(used.slots = slots)
      return Effect.ensuring(
        Effect.andThen(resized, used.semaphore.withPermit(handshake)),
        Effect.sync(() => {
          if (--used.users === 0) this.#turns.delete(network)
        })
      )
    })
  }

  /** Called by Node, which would end the process if this threw. */
  #secured(stream: Tls.TLSSocket): void {
    try {
      chainKept(stream)
      const ends = endsOf(stream)
      const underWay = ends === undefined ? undefined : this.#underWay.get(keyOf(ends))
      if (underWay === undefined) stream.destroy()
      else if (isTooLong(stream)) {
        underWay.failed("failed", "the certificates of its peer are too long")
        stream.destroy()
      } else underWay.secured(stream)
    } catch {
      stream.destroy()
    }
  }
}

/** The peer has shown more than may be kept of him, which OpenSSL does as long as the connection lives. */
const isTooLong = (stream: Tls.TLSSocket): boolean => {
  const most = stream.authorized ? MAX_CERTIFICATES : MAX_UNVERIFIED_CERTIFICATES
  return showsMoreThan(stream, most) || (certificateOf(stream)?.raw.length ?? 0) > most
}

const keyOf = ({ local, remote }: Ends): string => `${local.host} ${remote.host} ${remote.port}`

/** Longer than any handshake may take: the limit comes from the `Clock`. */
const NEVER = 0x7fff_ffff
