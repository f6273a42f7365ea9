/**
 * Limits the answers that TLS makes by itself: to a KeyUpdate (RFC 8446 §4.6.3), and to a renegotiation, which is refused (RFC
 * 5246 §7.2.2). OpenSSL buffers those that a peer does not read, without a limit and invisibly to Node: a peer that sends
 * nothing else and reads nothing would make it buffer as many octets as it sends.
 */
import type { TLSSocket } from "node:tls"
import { handleOf } from "./SocketHandle.ts"

/** The most octets of TLS besides data, headers of records included, that may come in while writes are stuck. */
export const MAX_UNTAKEN = 1_048_576

export class TlsAnswers {
  readonly #stream: TLSSocket
  /** The value of `beside` when nothing was left to be written. */
  #before = 0
  #flushed = true

  constructor(stream: TLSSocket) {
    this.#stream = stream
  }

  /** Octets that have come in besides data; undefined where unknown. */
  get beside(): number | undefined {
    const all = handleOf(this.#stream)?._parent?.bytesRead
    return all === undefined ? undefined : all - this.#stream.bytesRead
  }

  /** To be called when a write has completed, which Node reports when OpenSSL has nothing left. */
  flushed(): void {
    this.#flushed = true
  }

  /** To be called periodically: whether the answers that may be buffered exceed `MAX_UNTAKEN`. */
  tooMany(): boolean {
    const { beside } = this
    if (beside === undefined) return false
    if (this.#flushed || !((handleOf(this.#stream)?._parent?.writeQueueSize ?? 0) > 0)) {
      this.#before = beside
      this.#flushed = false
    }
    return beside - this.#before > MAX_UNTAKEN
  }
}

/** The error that ends such a connection. */
export const untaken = (): Error =>
  Object.assign(new Error("the peer does not take what TLS answers"), { code: "ERR_TLS_ANSWERS" })
