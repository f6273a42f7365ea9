/** TLS handshakes of the sockets that a listener accepts. */
import * as Effect from "effect/Effect"
import type * as Net from "node:net"
import * as Tls from "node:tls"
import { codeOf } from "../net/ErrorCode.ts"
import type { Certificates } from "./Certificates.ts"
import type { HandshakeSizes } from "./HandshakeSizes.ts"
import { HandshakeTurns } from "./HandshakeTurns.ts"
import type { KeyUpdates } from "./KeyUpdates.ts"
import { certificateOf, MAX_CERTIFICATES, MAX_UNVERIFIED_CERTIFICATES, showsMoreThan } from "./PeerCertificate.ts"
import { chainKept, keepChains } from "./PeerChain.ts"
import { type Arrived, PendingSockets, type SetUpLimits } from "./PendingSockets.ts"
import { RefusalLog } from "./RefusalLog.ts"
import { type SocketAddresses, socketAddresses, sourceOf } from "./SocketAddresses.ts"
import { tlsWords } from "./TlsFault.ts"
import type { HandshakeFailure, TransportCounters } from "./TransportFacts.ts"

/** The limits of handshakes; the time of one includes its wait for others of the same address. */
export interface HandshakeLimits extends SetUpLimits {
  /** The most handshakes of one address under way; further ones wait. */
  readonly maxHandshakesPerAddress: number
  /** The most handshakes of one address in a second; further ones wait. */
  readonly handshakeRate: number
  /** Whether an address is exempt from both per-address limits. */
  readonly isExempt: (address: string) => boolean
  /** Whether an address is a proxy, which connects for many clients. */
  readonly isProxy: (address: string) => boolean
}

/**
 * The most handshakes of one address under way where a client certificate is requested: the worst take a tenth of a second to
 * verify, and their address is charged for that only afterwards.
 */
const ASKED_AT_ONCE = 8

/** Handshakes that take as long as the KeyUpdates that come in before a connection is closed for them. */
const COST_OF_KEYS = 16

interface UnderWay {
  readonly secured: (stream: Tls.TLSSocket) => void
  /** `words`: the reason for the log. */
  readonly failed: (why: HandshakeFailure, words: string) => void
}

/** Codes of OpenSSL for octets that are not the beginning of TLS. */
const NO_TLS = new Set(["ERR_SSL_HTTP_REQUEST", "ERR_SSL_HTTPS_PROXY_REQUEST", "ERR_SSL_WRONG_VERSION_NUMBER"])

export class Handshakes {
  /**
   * The server that requests a client certificate, and the one that does not, each made when it is first used. They do not listen
   * themselves: sockets are passed to them by their "connection" event. Each has ticket keys of its own, so what one of them
   * has proved or not does not come to the other.
   */
  readonly #servers = new Map<boolean, Tls.Server>()
  readonly #asks: (address: string) => boolean
  readonly #certificates: Certificates
  readonly #unfollow: () => void
  readonly #limits: () => HandshakeLimits
  readonly #turns: HandshakeTurns
  readonly #underWay = new Map<string, UnderWay>()
  readonly #pending = new PendingSockets()
  readonly #counters: TransportCounters
  readonly #inSlices: (task: () => void) => void
  readonly #keyUpdates: KeyUpdates
  readonly #sizes: HandshakeSizes
  readonly #log = new RefusalLog("tls")

  /**
   * `asks`: whether a client of this address is requested a certificate. Then there are no session tickets: a resumed session
   * would keep what a certificate proved after it has expired, and not every certificate fits into a ticket. `asks` and `limits`
   * are called for each handshake, because both may change. `inSlices` spreads tasks over turns of the event loop, to keep each turn short.
   */
  constructor(
    certificates: Certificates,
    asks: (address: string) => boolean,
    limits: () => HandshakeLimits,
    counters: TransportCounters,
    inSlices: (task: () => void) => void,
    keyUpdates: KeyUpdates,
    sizes: HandshakeSizes
  ) {
    this.#sizes = sizes
    this.#keyUpdates = keyUpdates
    this.#counters = counters
    this.#inSlices = inSlices
    this.#certificates = certificates
    this.#asks = asks
    this.#unfollow = certificates.onChange(() => {
      for (const [asking, server] of this.#servers) server.setSecureContext(certificates.server(!asking))
    })
    this.#limits = limits
    this.#turns = new HandshakeTurns(limits().handshakeRate)
  }

  #makeServer(asking: boolean): Tls.Server {
    const server = Tls.createServer({
      ...this.#certificates.server(!asking),
      requestCert: asking,
      rejectUnauthorized: false,
      handshakeTimeout: NEVER
    })
    if (asking) keepChains(server)
    server.on("keylog", this.#keyUpdates.logged)
    server.on("tlsClientError", (error, stream) => {
      const addresses = socketAddresses(stream)
      if (addresses !== undefined) {
        this.#underWay.get(keyOf(addresses))?.failed(
          NO_TLS.has(codeOf(error)) ? "wrong protocol" : "failed",
          tlsWords(error)
        )
      }
      stream.destroy()
    })
    server.on("secureConnection", (stream) => this.#secured(stream))
    return server
  }

  #serverFor(address: string): Tls.Server {
    const asking = this.#asks(address)
    let server = this.#servers.get(asking)
    if (server === undefined) this.#servers.set(asking, server = this.#makeServer(asking))
    return server
  }

  /** To be called when no more sockets are accepted. */
  close(): void {
    this.#unfollow()
  }

  /**
   * Does the handshake on a socket, and then runs what `next` returns; destroys the socket if the handshake fails. `addresses`
   * has the client's address where a proxy has given it. `arrived` is called when the first octets are there to be read.
   */
  run(
    raw: Net.Socket,
    addresses: SocketAddresses,
    next: (stream: Tls.TLSSocket) => Effect.Effect<void>,
    arrived?: Arrived
  ): Effect.Effect<void> {
    const limits = this.#limits()
    // Events of the server are matched by the addresses of the socket itself, not by those that a proxy has given.
    const own = socketAddresses(raw)
    const key = own === undefined ? "" : keyOf(own)
    const { host } = addresses.remote
    const isFree = limits.isExempt(host) || limits.isProxy(host)
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
      raw.on("close", closed)
      this.#underWay.set(key, {
        failed,
        secured: (stream) => {
          // What comes now is data.
          this.#sizes.done(raw)
          this.#keyUpdates.watch(stream, host, isFree ? undefined : () => this.#turns.charge(host, COST_OF_KEYS))
          // Synchronously: application data may follow in the same read.
          rest = next(stream)
          // The listener would keep this closure alive as long as the connection.
          raw.off("close", closed)
          resume(Effect.void)
        }
      })
      this.#sizes.watch(raw, this.#asks(host), () => failed("failed", "too long"))
      // Each handshake takes a signature: a thousand that come at once must not all be answered in one turn.
      raw.once("readable", () => this.#inSlices(() => this.#begins(raw, host, arrived)))
    })
    return this.#pending.run(
      raw,
      sourceOf(addresses, limits.isProxy),
      limits,
      isFree ? handshake : this.#inTurn(raw, host, limits, handshake, failed),
      Effect.sync(() => failed("timed out", "not finished in time"))
    ).pipe(
      Effect.ensuring(Effect.sync(() => {
        this.#underWay.delete(key)
        this.#sizes.done(raw)
      })),
      Effect.andThen(Effect.suspend(() => {
        if (rest !== undefined) return rest
        const isEvicted = this.#pending.isEvicted(raw)
        this.#counters.handshakesFailed[isEvicted ? "too many" : failure]++
        raw.destroy()
        return this.#log.tell(addresses.remote, isEvicted ? "too many are under way" : words)
      }))
    )
  }

  #inTurn(
    raw: Net.Socket,
    host: string,
    { handshakeRate, maxHandshakesPerAddress, setupTimeout }: HandshakeLimits,
    handshake: Effect.Effect<void>,
    failed: UnderWay["failed"]
  ): Effect.Effect<void> {
    const limits = {
      atOnce: maxHandshakesPerAddress !== Infinity && this.#asks(host)
        ? Math.min(maxHandshakesPerAddress, ASKED_AT_ONCE)
        : maxHandshakesPerAddress,
      perSecond: handshakeRate,
      patience: setupTimeout * 1000
    }
    return this.#turns.run(raw, host, limits, handshake, () => failed("too many", "too many of its address"))
  }

  /** Called when the first octets have arrived, or the peer has closed without any. */
  #begins(raw: Net.Socket, host: string, arrived: Arrived | undefined): void {
    try {
      if (raw.readableLength === 0) return void raw.destroy()
      arrived?.(raw)
      this.#serverFor(host).emit("connection", raw)
    } catch {
      raw.destroy()
    }
  }

  /** Called by Node; an exception here would end the process. */
  #secured(stream: Tls.TLSSocket): void {
    try {
      // Until it is a connection, which does the same: Node does not close a TLS socket that fails after its handshake.
      stream.on("error", destroyed)
      chainKept(stream)
      const addresses = socketAddresses(stream)
      const underWay = addresses === undefined ? undefined : this.#underWay.get(keyOf(addresses))
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

/** Whether the peer has sent more certificates than may be kept; OpenSSL keeps them as long as the connection lives. */
const isTooLong = (stream: Tls.TLSSocket): boolean => {
  const most = stream.authorized ? MAX_CERTIFICATES : MAX_UNVERIFIED_CERTIFICATES
  return showsMoreThan(stream, most) || (certificateOf(stream)?.raw.length ?? 0) > most
}

function destroyed(this: Tls.TLSSocket): void {
  this.destroy()
}

const keyOf = ({ local, remote }: SocketAddresses): string => `${local.host} ${remote.host} ${remote.port}`

/** Milliseconds, the largest that Node takes: the time limit is kept by the `Clock` instead. */
const NEVER = 0x7fff_ffff
