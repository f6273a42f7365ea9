/**
 * Hops by where they lead: one connection for each scheme, host and port, however many sessions use it and whoever
 * opened it (RFC 4975 §5.4, RFC 4976 §6.4.2).
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import { isIP } from "node:net"
import { authorityKey, canonicalHost, type MsrpUri } from "../protocol/Uri.ts"
import { relaysOf, ResolverError } from "../Resolver.ts"
import { type Session, userOf } from "../SessionRepo.ts"
import type { SocketSelector } from "../SocketSelector.ts"
import type { Connection, ConnectOptions, TransportShape } from "../transport/Connection.ts"
import { TransportError } from "../transport/TransportError.ts"
import { Hop } from "./Hop.ts"
import type { NextHops } from "./NextHops.ts"
import type { RelayState } from "./RelayState.ts"

/** Recommended, and the last fallback where an AUTH names no port (RFC 4976 §8). */
const DEFAULT_PORT = 2855

/** Names and ports under which one relay may be known: a certificate for `*.` proves any number of them. */
const MAX_SHOWN = 16

export class Dialler {
  readonly #relay: RelayState
  readonly #transport: TransportShape
  readonly #selector: SocketSelector["Service"]
  readonly #nextHops: NextHops
  readonly #run: (effect: Effect.Effect<void>) => void
  /** More than one where another relay has several connections: when one closes, the next takes its place (RFC 4976 §6.3). */
  readonly #hops = new Map<string, Set<Hop>>()
  /** Dials in progress of each user. */
  readonly #dialling = new Map<string, number>()

  constructor(
    relay: RelayState,
    transport: TransportShape,
    selector: SocketSelector["Service"],
    nextHops: NextHops,
    run: (effect: Effect.Effect<void>) => void
  ) {
    this.#relay = relay
    this.#transport = transport
    this.#selector = selector
    this.#nextHops = nextHops
    this.#run = run
  }

  /**
   * The hop to a URI, dialled for the user of the session if there is none, or the status to refuse a request with that
   * wants to go there. `relay`: what is behind it is another relay, not an endpoint. `own`: the URI of this relay that the
   * request goes through.
   */
  hopFor(uri: MsrpUri, source: Hop, session: Session, relay: boolean, own: MsrpUri): Hop | number {
    const strict = this.#relayKey(uri, own)
    const known = this.#alive(strict) ?? (relay ? undefined : this.#alive(endpointKey(uri)))
    if (known !== undefined) return known
    if (cannotBeReached(uri)) return 408
    const { limits, stats } = this.#relay
    if (!this.#nextHops.admitsUri(uri)) {
      stats.dialsForbidden++
      return 403
    }
    // Whatever connection it asks on, and whoever else shares that of a relay.
    const user = userOf(session)
    if ((this.#dialling.get(user) ?? 0) >= limits.dials) {
      stats.dialsOverLimit++
      return 408
    }
    this.#count(user, 1)
    const hop = new Hop(this.#relay)
    this.#add(relay ? strict : endpointKey(uri), hop)
    this.#relay.hops.add(hop)
    this.#run(
      // Not before the request that wants it waits there, or nobody would answer that when it fails at once.
      Effect.andThen(Effect.yieldNow, this.#dial(hop, uri, source, relay, own)).pipe(
        Effect.asVoid,
        Effect.ensuring(Effect.sync(() => this.#count(user, -1))),
        Effect.catchCause((cause) =>
          Effect.suspend(() => {
            this.#relay.stats.dialsFailed++
            const forbidden = isForbidden(cause)
            if (forbidden) this.#relay.stats.dialsForbidden++
            hop.unreachable(forbidden ? 403 : 408)
            const { host, port, scheme } = uri
            return logUnreachable(cause).pipe(Effect.annotateLogs({ scheme, host, port }))
          })
        )
      )
    )
    return hop
  }

  readonly #dial = Effect.fnUntraced(
    { self: this },
    function*(hop: Hop, uri: MsrpUri, source: Hop, relay: boolean, { host: localName }: MsrpUri) {
      const targets = yield* targetsOf(uri)
      // The certificate must be for the name in the URI, whatever host serves it (RFC 4976 §9.2).
      const serverName = isIP(uri.host) === 0 ? uri.host : undefined
      yield* Effect.firstSuccessOf(
        targets.map((target) =>
          this.#connect(hop, { ...target, scheme: uri.scheme, relay, serverName, localName }, source)
        )
      )
    }
  )

  readonly #connect = Effect.fnUntraced(
    { self: this },
    function*(hop: Hop, to: Omit<ConnectOptions, "from">, source: Hop) {
      const { host, port, scheme } = to
      const from = yield* this.#selector.select({
        source: source.connection?.remote ?? { host: "", port: 0 },
        protocol: scheme === "msrps" ? "tls" : "tcp",
        inbound: source.connection?.socket,
        destination: { scheme, host, port }
      })
      const accept = (connection: Connection): Hop => {
        this.#relay.stats.connectionsDialled++
        return hop.dialled(connection)
      }
      const names = to.serverName === undefined ? [host] : [to.serverName, host]
      const admits = (address: string): boolean => this.#nextHops.admitsAddress(names, address, port)
      yield* this.#transport.connect({ ...to, from, admits }, accept)
    }
  )

  /** A relay has connected in, to `own`, and shown where it can be reached: it need not be dialled. */
  shown(uri: MsrpUri, hop: Hop, own: MsrpUri): void {
    if (uri.port !== undefined && hop.dialKeys.length < MAX_SHOWN) this.#add(this.#relayKey(uri, own), hop)
  }

  forget(hop: Hop): void {
    for (const key of hop.dialKeys) {
      const hops = this.#hops.get(key)
      hops?.delete(hop)
      if (hops?.size === 0) this.#hops.delete(key)
    }
    hop.dialKeys.length = 0
  }

  #count(user: string, more: number): void {
    const count = (this.#dialling.get(user) ?? 0) + more
    if (count > 0) this.#dialling.set(user, count)
    else this.#dialling.delete(user)
  }

  #alive(key: string): Hop | undefined {
    for (const hop of this.#hops.get(key) ?? []) if (!hop.gone) return hop
    return undefined
  }

  /**
   * Relays check who they talk to, by the certificate of the connection (RFC 4976 §6.3): where this relay has several,
   * it needs a connection for each.
   */
  #relayKey(uri: MsrpUri, own: MsrpUri): string {
    return `relay ${this.#transport.identity(canonicalHost(own.host))} ${uri.scheme} ${authorityKey(uri)}`
  }

  #add(key: string, hop: Hop): void {
    const hops = this.#hops.get(key)
    if (hops?.has(hop) === true) return
    if (hops === undefined) this.#hops.set(key, new Set([hop]))
    else hops.add(hop)
    hop.dialKeys.push(key)
  }
}

/** Whoever asks for what policy forbids is told so: another try is of no use (RFC 4975 §10.3). */
const isForbidden = (cause: Cause.Cause<unknown>): boolean => {
  const error = Cause.squash(cause)
  return error instanceof TransportError && error.reason === "Forbidden"
}

/** In one line where it is the network's doing, since clients name the hosts. */
const logUnreachable = (cause: Cause.Cause<unknown>): Effect.Effect<void> => {
  const what = "next hop cannot be reached"
  const error = Cause.squash(cause)
  return error instanceof TransportError || error instanceof ResolverError
    ? Effect.annotateLogs(Effect.logInfo(what), { reason: error.message })
    : Effect.logInfo(what, cause)
}

/** A host that never has an address, or the port of those who will connect themselves (RFC 6761 §6.4, RFC 6135 §4.2.2). */
const cannotBeReached = ({ host, port }: MsrpUri): boolean => port === 9 || /(^|\.)invalid\.?$/i.test(host)

/** Where to connect. Only an AUTH names no port; the relay of that domain is then found by SRV (RFC 4976 §8). */
const targetsOf = Effect.fnUntraced(function*({ host, port }: MsrpUri) {
  if (port !== undefined) return [{ host, port }]
  // A name that no name server may be asked for (RFC 6761 §6.3).
  const known = isIP(host) !== 0 || host.toLowerCase() === "localhost" ? [] : yield* relaysOf(host)
  return known.length > 0 ? known : [{ host, port: DEFAULT_PORT }]
})

/** An endpoint may be reached with less proof than a relay, so what is known for one is not good for the other. */
const endpointKey = (uri: MsrpUri): string => `endpoint ${uri.scheme} ${authorityKey(uri)}`
