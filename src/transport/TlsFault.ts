/** Why a TLS handshake failed, in words. */
import { codeOf, wordsOf } from "../net/ErrorCode.ts"

/** The most frequent error codes of OpenSSL. */
const words = new Map([
  ["ERR_SSL_HTTP_REQUEST", "HTTP instead of TLS"],
  ["ERR_SSL_HTTPS_PROXY_REQUEST", "HTTP instead of TLS"],
  ["ERR_SSL_WRONG_VERSION_NUMBER", "not TLS"],
  ["ERR_SSL_UNSUPPORTED_PROTOCOL", "an old version of TLS"],
  ["ERR_SSL_NO_SHARED_CIPHER", "no cipher in common"],
  ["ERR_SSL_TLSV1_ALERT_UNKNOWN_CA", "its peer does not trust the certificate"],
  ["ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE", "its peer does not accept the certificate"],
  ["ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN", "its peer does not accept the certificate"],
  ["ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED", "its peer considers the certificate expired"]
])

/** The reason in words, with the code that is found in manuals. */
export const tlsWords = (error: unknown): string => {
  const code = codeOf(error)
  const known = words.get(code)
  return known === undefined ? wordsOf(error) : `${known} (${code})`
}
