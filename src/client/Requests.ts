/** Requests that are sent in one piece. */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type { Codec } from "../Codec.ts"
import { Buffer } from "../platform/Node.ts"
import { transactionId } from "../protocol/Ident.ts"
import type { ClientError } from "./ClientError.ts"
import type { Frame } from "./Frame.ts"
import type { RequestOptions } from "./Options.ts"
import { pathText } from "./Path.ts"
import { noResponse } from "./Responses.ts"
import type { Transactions } from "./Transactions.ts"
import { PIECE, type Wire } from "./Wire.ts"

export interface RequestsParts {
  readonly codec: Codec["Service"]
  readonly wire: Wire
  readonly transactions: Transactions
  /** From-Path of requests that name none. */
  readonly uri: string
  /** Milliseconds to wait for a response. */
  readonly timeout: number
}

export class Requests {
  readonly #parts: RequestsParts

  constructor(parts: RequestsParts) {
    this.#parts = parts
  }

  #encode(id: string, { body, flag, fromPath = this.#parts.uri, headers, method, toPath }: RequestOptions): Buffer {
    return this.#parts.codec.request({
      transactionId: id,
      method,
      toPath: pathText(toPath),
      fromPath: pathText(fromPath),
      ...(headers === undefined ? {} : { headers }),
      ...(body === undefined ? {} : { body: octetsOf(body) }),
      ...(flag === undefined ? {} : { flag })
    })
  }

  /** Sends a request, and gives its transaction id. */
  readonly post = (request: RequestOptions): Effect.Effect<string, ClientError> =>
    Effect.suspend(() => {
      const id = request.transactionId ?? transactionId()
      return Effect.as(this.#parts.wire.octets(this.#encode(id, request)), id)
    })

  /** Sends a request, and waits for its response. */
  readonly request = (request: RequestOptions): Effect.Effect<Frame, ClientError> =>
    Effect.suspend(() => {
      const { timeout, transactions, wire } = this.#parts
      const id = request.transactionId ?? transactionId()
      const response = Deferred.makeUnsafe<Frame, ClientError>()
      const octets = this.#encode(id, request)
      const inTime = { duration: timeout, orElse: () => noResponse }
      // A longer request may take as long as the connection needs.
      const sent = octets.length > PIECE ? wire.octets(octets) : Effect.timeoutOrElse(wire.octets(octets), inTime)
      const expected = Effect.sync(() =>
        transactions.expect(id, {
          response: (frame) => Deferred.doneUnsafe(response, Effect.succeed(frame)),
          lost: (error) => Deferred.doneUnsafe(response, Effect.fail(error))
        })
      )
      return Effect.andThen(expected, sent).pipe(
        Effect.andThen(Effect.timeoutOrElse(Deferred.await(response), inTime)),
        Effect.ensuring(Effect.sync(() => transactions.forget(id)))
      )
    })
}

export const octetsOf = (octets: Uint8Array | string): Uint8Array =>
  typeof octets === "string" ? Buffer.from(octets) : octets
