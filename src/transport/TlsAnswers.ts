/**
 * What TLS answers by itself, beside all data: a KeyUpdate (RFC 8446 §4.6.3), and that it does not negotiate anew (RFC 5246
 * §7.2.2). OpenSSL keeps what a peer does not take of it, without a bound, and Node tells nobody: one who sends nothing else and
 * reads nothing would have as many octets kept as he sends.
 */
import type { TLSSocket } from "node:tls"

/** Octets of TLS beside data, its heads of records among them, that come in while what is written does not leave. */
export const MAX_UNTAKEN = 1_048_576

/** Private parts of a socket: the one below, which carries what is encrypted. Each may be missing. */
interface Inner {
  readonly bytesRead: number
  readonly _handle?: {
    readonly _parent?: { readonly bytesRead?: number; readonly writeQueueSize?: number }
  } | null
}

export class TlsAnswers {
  readonly #stream: TLSSocket
  /** Octets beside data when nothing was left to be written. */
  #before = 0
  #flushed = true

  constructor(stream: TLSSocket) {
    this.#stream = stream
  }

  /** Octets that have come in and are no data; nothing where that is not known. */
  get beside(): number | undefined {
    const { _handle: handle, bytesRead } = this.#stream as unknown as Inner
    const all = handle?._parent?.bytesRead
    return all === undefined ? undefined : all - bytesRead
  }

  /** A write is through: Node tells so when OpenSSL has nothing left. */
  flushed(): void {
    this.#flushed = true
  }

  /** Looks at it, as is to be done now and then. True: so much has come that what was answered may not be kept. */
  tooMany(): boolean {
    const { beside } = this
    if (beside === undefined) return false
    const { _handle: handle } = this.#stream as unknown as Inner
    if (this.#flushed || !((handle?._parent?.writeQueueSize ?? 0) > 0)) {
      this.#before = beside
      this.#flushed = false
    }
    return beside - this.#before > MAX_UNTAKEN
  }
}

/** Why the connection ends. */
export const untaken = (): Error =>
  Object.assign(new Error("the peer does not take what TLS answers"), { code: "ERR_TLS_ANSWERS" })
