/** The requests of a connection that wait for their responses, by transaction id. */
import type { ClientError } from "./ClientError.ts"
import type { Frame } from "./Frame.ts"

/** What to do with the response to a request. */
export interface Transaction {
  readonly response: (frame: Frame) => void
  readonly lost: (error: ClientError) => void
}

export class Transactions {
  readonly #open = new Map<string, Transaction>()

  expect(id: string, transaction: Transaction): void {
    this.#open.set(id, transaction)
  }

  forget(id: string): void {
    this.#open.delete(id)
  }

  /** Ends the transaction of a response. A response to no open transaction is ignored. */
  responded(frame: Frame): void {
    const transaction = this.#open.get(frame.transactionId)
    if (transaction === undefined || frame.problem !== undefined || frame.hasBody) return
    this.forget(frame.transactionId)
    transaction.response(frame)
  }

  /** The connection has ended. */
  close(error: ClientError): void {
    const waiting = [...this.#open.values()]
    this.#open.clear()
    for (const transaction of waiting) transaction.lost(error)
  }
}
