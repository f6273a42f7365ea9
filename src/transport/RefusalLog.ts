/**
 * Log lines about sockets that never become connections. Strangers cause them, so their number is bounded (`LineBudget`), and
 * those that do not speak of a wrong setup are at debug level.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { monotonicMillis } from "../clock/Monotonic.ts"
import { detailBounds, type LineBounds, LineBudget } from "../logging/LineBudget.ts"
import { networkOf } from "../net/Network.ts"
import { type Address, addressText } from "./Connection.ts"

/**
 * A page with an origin that is not admitted, and a proxy that is not set up for the PROXY protocol, or that the relay is not
 * set up for, try again for ever: the operator needs to see that once, because all clients behind them are kept out.
 */
const setupBounds: LineBounds = { addressBurst: 1, addressPause: 60_000, kindBurst: 5, kindPause: 60_000 }

/** The line of each kind, as docs/log.md has it, and how often it may be written. */
const kinds = {
  tls: { line: Effect.logDebug("TLS handshake failed"), bounds: detailBounds },
  proxyHeader: { line: Effect.logWarning("PROXY header refused"), bounds: setupBounds },
  strayHeader: { line: Effect.logWarning("PROXY header of an address that is not trusted"), bounds: setupBounds },
  webSocket: { line: Effect.logDebug("WebSocket refused"), bounds: detailBounds },
  origin: { line: Effect.logWarning("a page may not connect"), bounds: setupBounds }
}

type RefusalKind = keyof typeof kinds

export class RefusalLog {
  readonly #kind: RefusalKind
  readonly #budget: LineBudget

  constructor(kind: RefusalKind) {
    this.#kind = kind
    this.#budget = new LineBudget(kinds[kind].bounds)
  }

  tell(remote: Address, reason: string): Effect.Effect<void> {
    return Clock.clockWith((clock) =>
      this.#budget.admits(this.#kind, networkOf(remote.host), monotonicMillis(clock))
        ? Effect.annotateLogs(kinds[this.#kind].line, { remote: addressText(remote), reason })
        : Effect.void
    )
  }
}
