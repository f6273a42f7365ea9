/** What is logged of TLS handshakes that come to nothing: at debug level, and not more than somebody can read. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { monotonicMillis } from "../clock/Monotonic.ts"
import { detailBounds, LineBudget } from "../logging/LineBudget.ts"
import { codeOf, wordsOf } from "../net/ErrorCode.ts"
import { networkOf } from "../net/Network.ts"
import { type Address, addressText } from "./Connection.ts"

const MESSAGE = "TLS handshake failed"

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

export class HandshakeLog {
  readonly #budget = new LineBudget(detailBounds)

  tell(remote: Address, reason: string): Effect.Effect<void> {
    return Clock.clockWith((clock) =>
      this.#budget.admits(MESSAGE, networkOf(remote.host), monotonicMillis(clock))
        ? Effect.annotateLogs(Effect.logDebug("TLS handshake failed"), { remote: addressText(remote), reason })
        : Effect.void
    )
  }
}
