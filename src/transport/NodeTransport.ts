/** The `Transport` of this machine: TCP and TLS sockets of Node. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { openFilesAllowed } from "../net/OpenFiles.ts"
import { follow, type Live } from "../options/Live.ts"
import {
  func,
  oneOf,
  type OptionsError,
  positive,
  quantity,
  whole,
  wholeOrUnbounded,
  wrongOrUnknown
} from "../options/Options.ts"
import { ranges } from "../options/Ranges.ts"
import { Resolver } from "../Resolver.ts"
import { makeCertificates, type TlsOptions, tlsSchema } from "./Certificates.ts"
import { makeConnections } from "./Connections.ts"
import { makeDescriptorWatch } from "./DescriptorWatch.ts"
import { type DialOptions, makeConnect } from "./Dial.ts"
import { makeHandshakeSizes } from "./HandshakeSizes.ts"
import { KeyUpdates } from "./KeyUpdates.ts"
import { makeListen } from "./Listener.ts"
import type { ListenerOptions } from "./ListenerOptions.ts"
import { makeProven } from "./PeerCertificate.ts"
import type { TransportError } from "./TransportError.ts"
import { zeroTransportCounters } from "./TransportFacts.ts"
import type { TransportShape } from "./TransportShape.ts"

/**
 * Options of the transport. All may change (`Live`), except `tls`, which has a reference of its own, `reads` and `pollSignal`.
 *
 * @category options
 * @since 0.1.0
 */
export interface NodeOptions extends ListenerOptions, DialOptions {
  /**
   * Certificate, key and trusted roots. A new value of a `SubscriptionRef` is used for all later connections; open ones are
   * not affected. Without a certificate, `msrps` can be dialled but not listened on.
   */
  readonly tls?: TlsOptions | SubscriptionRef.SubscriptionRef<TlsOptions> | undefined
  /**
   * `shared` reads into one buffer for all connections, which saves a 64 KiB buffer per read, and writes to sockets without their
   * streams. `events` reads by "data" events and writes to streams, and so does `shared` where this version of Node does not allow
   * the one or the other: Node.js 26 does not allow the writes. Default `shared`.
   */
  readonly reads?: "shared" | "events" | undefined
  /**
   * Whether the process sends itself SIGURG, which does nothing else, when thousands of connections have octets at once. Node.js
   * then reads each of them once before it goes on to timers. Otherwise the transport stops reading each connection
   * for the rest of the turn, so that a message costs up to a tenth more; with TLS it does so in any case. It has no effect on Windows and in worker threads. Default
   * false.
   */
  readonly pollSignal?: boolean | undefined
}

const many = Schema.optional(wholeOrUnbounded([1, 10_000_000]))

const optionsSchema = Schema.Struct({
  setupTimeout: Schema.optional(positive),
  connectTimeout: Schema.optional(quantity(ranges.connectTimeout)),
  allowSelfSigned: Schema.optional(Schema.Boolean),
  maxConnections: many,
  maxHandshakes: many,
  maxHandshakesPerAddress: many,
  handshakeRate: many,
  isExempt: Schema.optional(func),
  keepAlive: Schema.optional(quantity(ranges.keepAlive)),
  proxies: Schema.optional(Schema.Struct({ trusts: func, header: Schema.optional(func) })),
  webSocket: Schema.optional(Schema.Struct({
    admitsOrigin: Schema.optional(func),
    piece: Schema.optional(whole(ranges.piece)),
    serve: Schema.optional(func)
  })),
  tls: Schema.optional(tlsSchema),
  reads: Schema.optional(oneOf("shared", "events")),
  pollSignal: Schema.optional(Schema.Boolean)
})

const wrong = wrongOrUnknown<NodeOptions>("Transport.layerNode", optionsSchema)

/** Checks options; of a reference, its current value. */
const wrongNow = (options: NodeOptions) =>
  wrong(hasRef(options) ? { ...options, tls: SubscriptionRef.getUnsafe(options.tls) } : options)

const hasRef = (options: unknown): options is { readonly tls: SubscriptionRef.SubscriptionRef<TlsOptions> } =>
  Predicate.hasProperty(options, "tls") && SubscriptionRef.isSubscriptionRef(options.tls)

/** Makes the service. Outbound connections live as long as the scope. */
export const make = Effect.fnUntraced(function*(
  given: Live<NodeOptions>
): Effect.fn.Return<TransportShape, TransportError | OptionsError, Scope.Scope> {
  const live = yield* follow(given, wrongNow, () => {}, ["tls", "reads", "pollSignal"])
  const options = live.current
  const { adopting, defer, run } = yield* makeConnections(options.reads ?? "shared", options.pollSignal ?? false)
  const resolver = yield* Resolver
  const certificates = yield* makeCertificates(options.tls ?? {})
  const keyUpdates = new KeyUpdates(defer)
  const sizes = yield* makeHandshakeSizes
  const proven = makeProven(yield* Clock.Clock)
  const counters = zeroTransportCounters()
  const watch = makeDescriptorWatch({ counters, run, allowed: yield* openFilesAllowed })
  return {
    listen: makeListen({ adopting, certificates, counters, keyUpdates, proven, defer, run, sizes, watch }, live),
    connect: makeConnect(
      { adopt: yield* adopting, certificates, defer, keyUpdates, proven, resolver, sizes, watch },
      live
    ),
    identity: certificates.identity,
    defer,
    facts: Object.assign(counters, { certificates: certificates.facts, acceptFault: watch.fault })
  }
})
