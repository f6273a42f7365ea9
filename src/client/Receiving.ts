/** The receiving side of a connection: decodes what comes in, and does not read while too much is unread. */
import type { Codec } from "../Codec.ts"
import type { Buffer } from "../platform/Node.ts"
import type { Connection, Receiver } from "../transport/Connection.ts"
import { ClientError } from "./ClientError.ts"
import type { Deliveries } from "./Deliveries.ts"
import type { Frame } from "./Frame.ts"
import { Inbox } from "./Inbox.ts"
import type { Mailbox } from "./Mailbox.ts"
import { type Mailboxes, MAX_UNREAD } from "./Mailboxes.ts"
import type { ClientOptions } from "./Options.ts"
import type { Transactions } from "./Transactions.ts"
import { Wire } from "./Wire.ts"

/** Default of `maxMessage`, in octets. */
const MAX_MESSAGE = 33_554_432

export interface ReceivingParts {
  readonly codec: Codec["Service"]
  readonly mailboxes: Mailboxes
  readonly frames: Mailbox<Frame>
  readonly transactions: Transactions
  readonly deliveries: Deliveries
  /** Runs a task after all that is going on, as `TransportShape.defer`. */
  readonly defer: (task: () => void) => void
  /** As `IncomingOptions.later`. */
  readonly later: (task: () => void) => () => void
  /** Milliseconds of the monotonic clock. */
  readonly now: () => number
  /** Called once, when the connection is gone. */
  readonly closed: (error: ClientError) => void
}

export class Receiving implements Receiver {
  readonly connection: Connection
  readonly wire: Wire
  readonly #inbox: Inbox
  readonly #parts: ReceivingParts
  readonly #decoder: ReturnType<Codec["Service"]["decoder"]>
  readonly #unsubscribe: () => void
  #isPaused = false
  #isFull = false
  #why = "the connection is closed"

  constructor(connection: Connection, options: ClientOptions, parts: ReceivingParts) {
    const { mailboxes, codec } = parts
    const { collect = "body", maxMessage = MAX_MESSAGE, maxUnread = MAX_UNREAD } = options
    this.connection = connection
    this.#parts = parts
    this.#unsubscribe = mailboxes.unread.tell((isFull) => this.hold(isFull))
    this.wire = new Wire(connection, parts.defer)
    this.#inbox = new Inbox({
      ...parts,
      ...mailboxes,
      wire: this.wire,
      frames: options.record === true ? parts.frames : undefined,
      respond: options.respond ?? true,
      report: options.report ?? true,
      collect: typeof collect === "function" ? collect : () => collect,
      maxMessage,
      unfinished: { limit: Math.max(maxMessage, maxUnread), now: parts.now },
      broken: (reason) => {
        this.#why = `framing is lost: ${reason}`
        connection.destroy()
      }
    })
    this.#decoder = codec.decoder(this.#inbox)
  }

  bytes(chunk: Buffer, last?: boolean): void {
    this.#decoder.push(chunk, last)
  }

  closed(failure?: string): void {
    const message = failure === undefined ? this.#why : `${this.#why} (${failure})`
    const error = new ClientError({ reason: "Closed", message })
    this.#decoder.stop()
    this.#unsubscribe()
    this.wire.close(error)
    this.#inbox.close(error)
    this.#parts.closed(error)
  }

  /** Pauses until it is called with false: for the program. */
  pause(isPaused: boolean): void {
    this.#isPaused = isPaused
    this.#read()
  }

  /** Pauses while too much is unread. */
  hold(isFull: boolean): void {
    this.#isFull = isFull
    this.#read()
  }

  #read(): void {
    if (this.#isPaused || this.#isFull) this.connection.pause()
    else this.connection.resume()
  }
}
