/** What trusted proxies say, before anything else, about whom they connect for (PROXY protocol). */
import * as Effect from "effect/Effect"
import type * as Net from "node:net"
import { keepBoth } from "../protocol/Octets.ts"
import type { Ends } from "./Ends.ts"
import { HandshakeLog } from "./HandshakeLog.ts"
import { InTheMaking } from "./InTheMaking.ts"
import { readProxyHeader } from "./ProxyHeader.ts"
import type { ProxyHeaderFailure, TransportCounters } from "./TransportFacts.ts"

export interface ProxyHeaderLimits {
  /** Seconds within which a header must be there. */
  readonly setupTimeout: number
  /** The most that are waited for; the oldest goes for a new one. */
  readonly maxHandshakes: number
}

/** Goes on as with a connection of the client's own; `byTls`: he speaks TLS to the proxy, which says so. */
export type Introduced = (ends: Ends, byTls: boolean) => Effect.Effect<void>

const words: Readonly<Record<ProxyHeaderFailure, string>> = {
  malformed: "no header of the PROXY protocol, or a malformed one",
  "timed out": "not there in time",
  "too many": "too many are waited for"
}

/** Where each counts: all are proxies, so there is no address to be fair to. */
const ALL = "proxies"

const NOTHING: Buffer = Buffer.alloc(0)

export class ProxyHeaders {
  readonly #making = new InTheMaking()
  readonly #limits: () => ProxyHeaderLimits
  readonly #counters: TransportCounters
  readonly #log = new HandshakeLog("PROXY header refused")

  /** The limits are asked for with each header, since they may change. */
  constructor(limits: () => ProxyHeaderLimits, counters: TransportCounters) {
    this.#limits = limits
    this.#counters = counters
  }

  /** Reads the header on a socket, and goes on with what `next` makes of it; the socket is gone if it is not right. */
  run(raw: Net.Socket, ends: Ends, next: Introduced): Effect.Effect<void> {
    const { maxHandshakes, setupTimeout } = this.#limits()
    let rest: Effect.Effect<void> | undefined
    let failure: ProxyHeaderFailure | undefined
    const header = Effect.callback<void>((resume) => {
      if (raw.destroyed) return resume(Effect.void)
      this.#making.add(ALL, raw, maxHandshakes)
      let held = NOTHING
      const done = (): void => {
        raw.off("data", read)
        raw.off("close", left)
        resume(Effect.void)
      }
      const left = (): void => {
        // Who comes only to see whether there is somebody says nothing, and that is no fault.
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
        // What is behind the header is the client's own.
        if (octets < held.length) raw.unshift(held.subarray(octets))
        const remote = client === undefined ? ends.remote : { host: client.host, port: client.port }
        rest = Effect.suspend(() => next({ local: ends.local, remote }, client?.secure ?? false))
        done()
      }
      raw.once("close", left)
      raw.on("data", read)
      raw.resume()
    })
    return header.pipe(
      Effect.timeoutOrElse({
        duration: setupTimeout * 1000,
        orElse: () => Effect.sync(() => void (failure = "timed out"))
      }),
      Effect.ensuring(Effect.sync(() => this.#making.delete(ALL, raw))),
      Effect.andThen(Effect.suspend(() => rest ?? this.#refused(raw, ends, failure))),
      Effect.onInterrupt(() => Effect.sync(() => raw.destroy()))
    )
  }

  #refused(raw: Net.Socket, { remote }: Ends, failure: ProxyHeaderFailure | undefined): Effect.Effect<void> {
    raw.destroy()
    const why = this.#making.isEvicted(raw) ? "too many" : failure
    if (why === undefined) return Effect.void
    this.#counters.proxyHeadersRefused[why]++
    return this.#log.tell(remote, words[why])
  }
}
