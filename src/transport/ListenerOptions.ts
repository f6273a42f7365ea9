/** The options of listeners, and their defaults. */
import type { LocalSocket } from "./Connection.ts"
import type { HandshakeLimits } from "./Handshakes.ts"
import type { HandshakePolicy } from "./websocket/Handshake.ts"
import type { UpgradeLimits } from "./websocket/Upgrades.ts"

/**
 * How connections are accepted, and how many.
 *
 * @category options
 * @since 0.2.0
 */
export interface ListenerOptions {
  /** Seconds that each step of an accepted connection may take: the header of a proxy, TLS, the opening of a WebSocket. Default 10. */
  readonly setupTimeout?: number | undefined
  /** The most connections one listener has open at a time; further ones are closed at once. Default: no limit. */
  readonly maxConnections?: number | undefined
  /**
   * The most connections of one listener that are in the middle of their TLS handshake; beyond it, the oldest of the address
   * with the most is closed, so that peers which never finish do not lock out others. Default: no limit.
   */
  readonly maxHandshakes?: number | undefined
  /**
   * The most connections of one address, at one listener, that are in the middle of their TLS handshake; further ones wait
   * for `setupTimeout`. Default: no limit.
   */
  readonly maxHandshakesPerAddress?: number | undefined
  /**
   * TLS handshakes of one address in a second, at one listener; a longer one counts as several, and those of a few seconds
   * may come at once. Further ones wait for `setupTimeout`. Default: no limit.
   */
  readonly handshakeRate?: number | undefined
  /** Whether an address is exempt from `maxHandshakesPerAddress` and `handshakeRate`. Default: none is. */
  readonly isExempt?: ((address: string) => boolean) | undefined
  /** Seconds without traffic after which the system asks whether the peer is still there; 0: never. At most 32,400, default 60. */
  readonly keepAlive?: number | undefined
  /** Proxies that connect for clients. Default: none. */
  readonly proxies?: ProxyOptions | undefined
  /** For listeners whose transport is `ws`. */
  readonly webSocket?: WebSocketListenOptions | undefined
}

/**
 * Proxies that connect for clients, and how they give the client's address.
 *
 * @category options
 * @since 0.2.0
 */
export interface ProxyOptions {
  /**
   * Whether an address is a proxy that is trusted: the client's address that it gives, and whether the client speaks TLS to
   * it, count as if the client had connected itself. For WebSocket clients it sends `Forwarded`, or `X-Forwarded-For` and
   * `X-Forwarded-Proto`.
   */
  readonly trusts: (address: string) => boolean
  /**
   * Whether proxies begin each connection to a listener with a header of the PROXY protocol, version 1 or 2; other peers must
   * not. Default: false.
   */
  readonly header?: ((socket: LocalSocket) => boolean) | undefined
}

/**
 * Further options of listeners for WebSocket (RFC 7977).
 *
 * @category options
 * @since 0.2.0
 */
export interface WebSocketListenOptions {
  /**
   * Whether a page of this origin may connect to this `Host`; not called for programs other than browsers, which send no
   * origin. Default: pages of the same host, and on loopback those of loopback.
   */
  readonly admitsOrigin?: HandshakePolicy["admitsOrigin"] | undefined
  /** Octets of a body that a chunk towards a client has at most. Default 65,536. */
  readonly piece?: number | undefined
  /** Answers requests to this listener that open no WebSocket, with pages. Default: they get 426. */
  readonly serve?: ((listener: LocalSocket) => UpgradeLimits["serve"]) | undefined
}

/** The default of `setupTimeout`, in seconds. */
const SETUP_TIME = 10

const NO_PROXIES: ProxyOptions = { trusts: () => false }

/** The limits of handshakes by the options, with defaults. */
export const limitsOf = ({
  handshakeRate = Infinity,
  isExempt = () => false,
  maxHandshakes = Infinity,
  maxHandshakesPerAddress = Infinity,
  proxies: { trusts: isProxy } = NO_PROXIES,
  setupTimeout = SETUP_TIME
}: ListenerOptions): HandshakeLimits => ({
  handshakeRate,
  isExempt,
  isProxy,
  maxHandshakes,
  maxHandshakesPerAddress,
  setupTimeout
})
