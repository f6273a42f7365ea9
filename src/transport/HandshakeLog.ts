/** What is logged of connections that never come to be: at debug level, and not more than somebody can read. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { monotonicMillis } from "../clock/Monotonic.ts"
import { detailBounds, type LineBounds, LineBudget } from "../logging/LineBudget.ts"
import { codeOf, wordsOf } from "../net/ErrorCode.ts"
import { networkOf } from "../net/Network.ts"
import { type Address, addressText } from "./Connection.ts"

/** What OpenSSL says most, in words. */
const words = new Map([
  ["ERR_SSL_HTTP_REQUEST", "HTTP instead of TLS"],
  ["ERR_SSL_HTTPS_PROXY_REQUEST", "HTTP instead of TLS"],
  ["ERR_SSL_WRONG_VERSION_NUMBER", "something else than TLS"],
  ["ERR_SSL_UNSUPPORTED_PROTOCOL", "an old version of TLS"],
  ["ERR_SSL_NO_SHARED_CIPHER", "no cipher that both have"],
  ["ERR_SSL_TLSV1_ALERT_UNKNOWN_CA", "its peer does not trust the certificate"],
  ["ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE", "its peer does not accept the certificate"],
  ["ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN", "its peer does not accept the certificate"],
  ["ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED", "its peer takes the certificate for expired"]
])

/** Why a handshake failed, in words and with the code that stands in manuals. */
export const handshakeWords = (error: unknown): string => {
  const code = codeOf(error)
  const known = words.get(code)
  return known === undefined ? wordsOf(error) : `${known} (${code})`
}

/** Each with its line, as docs/log.md has them. */
const lines = {
  "TLS handshake failed": Effect.logDebug("TLS handshake failed"),
  "PROXY header refused": Effect.logDebug("PROXY header refused"),
  "WebSocket refused": Effect.logDebug("WebSocket refused"),
  "a page may not connect": Effect.logWarning("a page may not connect")
}

/** A page that nobody has thought of tries again and again, and its operator has to hear of it once. */
const pageBounds: LineBounds = { addressBurst: 1, addressPause: 60_000, kindBurst: 5, kindPause: 60_000 }

export class HandshakeLog {
  readonly #budget: LineBudget
  readonly #what: keyof typeof lines

  constructor(what: keyof typeof lines = "TLS handshake failed") {
    this.#what = what
    this.#budget = new LineBudget(what === "a page may not connect" ? pageBounds : detailBounds)
  }

  tell(remote: Address, reason: string): Effect.Effect<void> {
    return Clock.clockWith((clock) =>
      this.#budget.admits(this.#what, networkOf(remote.host), monotonicMillis(clock))
        ? Effect.annotateLogs(lines[this.#what], { remote: addressText(remote), reason })
        : Effect.void
    )
  }
}
