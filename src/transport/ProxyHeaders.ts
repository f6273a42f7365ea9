/** Reads PROXY headers, in which a trusted proxy gives the address of its client before all other octets. */
import * as Effect from "effect/Effect"
import type * as Net from "node:net"
import { keepBoth } from "../protocol/Octets.ts"
import { PendingSockets, type SetUpLimits } from "./PendingSockets.ts"
import { readProxyHeader } from "./ProxyHeader.ts"
import { RefusalLog } from "./RefusalLog.ts"
import type { SocketAddresses } from "./SocketAddresses.ts"
import type { ProxyHeaderFailure, TransportCounters } from "./TransportFacts.ts"

/** Continues with the client's address; `byTls`: whether the client speaks TLS to the proxy, by the header. */
type Introduced = (addresses: SocketAddresses, byTls: boolean) => Effect.Effect<void>

const words: Readonly<Record<ProxyHeaderFailure, string>> = {
  malformed: "no header of the PROXY protocol, or a malformed one",
  "timed out": "not there in time",
  "too many": "too many are waited for"
}

/** The common key of all sockets in `PendingSockets`: all are of proxies, so no address needs a share of its own. */
const ALL = "proxies"

const NOTHING: Buffer = Buffer.alloc(0)

export class ProxyHeaders {
  readonly #pending = new PendingSockets()
  readonly #limits: () => SetUpLimits
  readonly #counters: TransportCounters
  readonly #log = new RefusalLog("proxyHeader")

  /** `limits` is called for each header, because they may change. */
  constructor(limits: () => SetUpLimits, counters: TransportCounters) {
    this.#limits = limits
    this.#counters = counters
  }

  /** Reads the header from a socket, and then runs what `next` returns; destroys the socket if the header is refused. */
  run(raw: Net.Socket, addresses: SocketAddresses, next: Introduced): Effect.Effect<void> {
    let rest: Effect.Effect<void> | undefined
    let failure: ProxyHeaderFailure | undefined
    const header = Effect.callback<void>((resume) => {
      if (raw.destroyed) return resume(Effect.void)
      let held = NOTHING
      const done = (): void => {
        raw.off("data", read)
        raw.off("close", left)
        resume(Effect.void)
      }
      const left = (): void => {
        // A health check connects and leaves without sending anything: that is not an error.
        if (held.length > 0) failure = "malformed"
        done()
      }
      const read = (chunk: Buffer): void => {
        held = keepBoth(held, chunk)
        const reading = readProxyHeader(held)
        if (reading._tag === "More") return
        raw.pause()
        if (reading._tag === "Bad") {
          failure = "malformed"
          return done()
        }
        const { client, octets } = reading
        // The client's own octets follow the header.
        if (octets < held.length) raw.unshift(held.subarray(octets))
        const remote = client === undefined ? addresses.remote : { host: client.host, port: client.port }
        const hidden = client === undefined
        rest = Effect.suspend(() => next({ local: addresses.local, remote, hidden }, client?.secure ?? false))
        done()
      }
      raw.on("close", left)
      raw.on("data", read)
      raw.resume()
    })
    const late = Effect.sync(() => void (failure = "timed out"))
    return Effect.andThen(
      this.#pending.run(raw, ALL, this.#limits(), header, late),
      Effect.suspend(() => rest ?? this.#refused(raw, addresses, failure))
    )
  }

  #refused(raw: Net.Socket, { remote }: SocketAddresses, failure: ProxyHeaderFailure | undefined): Effect.Effect<void> {
    raw.destroy()
    const why = this.#pending.isEvicted(raw) ? "too many" : failure
    if (why === undefined) return Effect.void
    this.#counters.proxyHeadersRefused[why]++
    return this.#log.tell(remote, words[why])
  }
}
