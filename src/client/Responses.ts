import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Latch from "effect/Latch"
import { monotonicMillis } from "../clock/Monotonic.ts"
import { ClientError } from "./ClientError.ts"
import type { Frame } from "./Frame.ts"
import type { Transactions } from "./Transactions.ts"

export const refused = (response: Frame): ClientError =>
  new ClientError({
    reason: "Refused",
    message: `the answer was ${response.status} ${response.comment}`.trimEnd(),
    status: response.status,
    response
  })

export const noResponse = Effect.suspend(() =>
  Effect.fail(new ClientError({ reason: "Timeout", message: "no response in time" }))
)

/** A chunk that has no response yet. `octets` of body is set once the chunk is written. */
interface Awaited {
  readonly deadline: number
  readonly octets: number | undefined
}

/** The chunks of a message that wait for their responses, and the first failure. */
export class Responses {
  readonly #transactions: Transactions
  readonly #awaited: boolean
  readonly #acknowledged: (octets: number) => void
  /** By transaction id, oldest first. */
  readonly #open = new Map<string, Awaited>()
  /** Transaction id of the chunk that is being written, if it was answered already. */
  #early: string | undefined
  readonly #progress = Latch.makeUnsafe(false)
  readonly #failed = Deferred.makeUnsafe<never, ClientError>()
  /** Fails with the first failure. */
  readonly failed = Deferred.await(this.#failed)
  failure: ClientError | undefined

  /** `acknowledged` is called with the octets of body of each chunk that gets a 2xx. */
  constructor(transactions: Transactions, awaited: boolean, acknowledged: (octets: number) => void) {
    this.#transactions = transactions
    this.#awaited = awaited
    this.#acknowledged = acknowledged
  }

  readonly fail = (error: ClientError): void => {
    this.failure ??= error
    Deferred.doneUnsafe(this.#failed, Exit.fail(error))
    this.#progress.openUnsafe()
  }

  expect(id: string): void {
    this.#open.set(id, { deadline: Infinity, octets: undefined })
    this.#transactions.expect(id, {
      response: (response) => {
        const octets = this.#open.get(id)?.octets
        this.#open.delete(id)
        if (response.status < 200 || response.status >= 300) return this.fail(refused(response))
        if (octets === undefined) this.#early = id
        else this.#acknowledged(octets)
        this.#progress.openUnsafe()
      },
      lost: this.fail
    })
  }

  /** A chunk with `octets` of body is written. Its response is due at `deadline`, in milliseconds of the monotonic clock. */
  written(id: string, deadline: number, octets: number): void {
    if (this.#open.has(id)) this.#open.set(id, { deadline, octets })
    else if (this.#early === id) this.#acknowledged(octets)
  }

  /** Completes when at most `count` chunks wait. Without Failure-Report `yes`, the oldest are no longer awaited instead. */
  atMost(count: number): Effect.Effect<void, ClientError> {
    return Effect.gen({ self: this }, function*() {
      while (this.failure === undefined && this.#open.size > count) {
        const [id, { deadline }] = this.#open.entries().next().value!
        if (!this.#awaited) {
          this.#forget(id)
          continue
        }
        this.#progress.closeUnsafe()
        const left = deadline - monotonicMillis(yield* Clock.Clock)
        if (left <= 0) return yield* noResponse
        yield* Effect.timeoutOrElse(this.#progress.await, { duration: left, orElse: () => Effect.void })
      }
      if (this.failure !== undefined) return yield* this.failure
    })
  }

  close(): void {
    for (const id of this.#open.keys()) this.#forget(id)
  }

  #forget(id: string): void {
    this.#open.delete(id)
    this.#transactions.forget(id)
  }
}
