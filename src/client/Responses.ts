import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Latch from "effect/Latch"
import { ClientError } from "./ClientError.ts"
import type { Frame } from "./Frame.ts"
import type { Inbox } from "./Inbox.ts"

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

/** The chunks that wait for their responses, and what went wrong. */
export class Responses {
  readonly #inbox: Inbox
  readonly #awaited: boolean
  /** Transaction ids and their deadlines, oldest first. */
  readonly #open = new Map<string, number>()
  readonly #progress = Latch.makeUnsafe(false)
  readonly failed = Deferred.makeUnsafe<never, ClientError>()
  failure: ClientError | undefined

  constructor(inbox: Inbox, awaited: boolean) {
    this.#inbox = inbox
    this.#awaited = awaited
  }

  readonly fail = (error: ClientError): void => {
    this.failure ??= error
    Deferred.doneUnsafe(this.failed, Exit.fail(error))
    this.#progress.openUnsafe()
  }

  expect(id: string): void {
    this.#open.set(id, Infinity)
    this.#inbox.expect(id, {
      response: (response) => {
        this.#open.delete(id)
        if (response.status >= 200 && response.status < 300) this.#progress.openUnsafe()
        else this.fail(refused(response))
      },
      lost: this.fail
    })
  }

  /** The chunk is written: its response is due at `deadline`. */
  written(id: string, deadline: number): void {
    if (this.#open.has(id)) this.#open.set(id, deadline)
  }

  /** Completes when at most `count` chunks wait. With Failure-Report `partial` the oldest are given up instead. */
  atMost(count: number): Effect.Effect<void, ClientError> {
    return Effect.gen({ self: this }, function*() {
      while (this.failure === undefined && this.#open.size > count) {
        const [id, deadline] = this.#open.entries().next().value!
        if (!this.#awaited) {
          this.#forget(id)
          continue
        }
        this.#progress.closeUnsafe()
        const left = deadline - (yield* Clock.currentTimeMillis)
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
    this.#inbox.forget(id)
  }
}
