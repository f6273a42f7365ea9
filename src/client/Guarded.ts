/** What a program gives with a message that can only be looked at while the message is sent. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { kindOf } from "../logging/ErrorKind.ts"
import { OptionsError } from "../options/Options.ts"
import { ClientError } from "./ClientError.ts"
import type { SendOptions } from "./Options.ts"

/** What is left of octets that were handed to another thread is nothing. */
export const isOctets = (value: unknown): value is Uint8Array =>
  value instanceof Uint8Array && !(value.buffer instanceof ArrayBuffer && value.buffer.detached)

export const unusable = (cause: OptionsError): ClientError =>
  new ClientError({ reason: "Options", message: cause.message, cause })

type Body<E, R> = SendOptions<E, R>["body"]

/** A stream that fails with what is not octets. */
const checked = <E, R>(body: Body<E, R>): Body<E | ClientError, R> =>
  Stream.isStream(body)
    ? Stream.mapArrayEffect(body, (pieces) => pieces.every(isOctets) ? Effect.succeed(pieces) : Effect.fail(noOctets()))
    : body

const noOctets = (): ClientError => {
  const problem = "must give octets, which no other thread has"
  return unusable(new OptionsError({ layer: "send", problems: [{ option: "body", problem }] }))
}

/** Whoever throws is told nothing more: his message is not to suffer by it, nor others on its connection. */
export const guarded = <E, R>(options: SendOptions<E, R>): Effect.Effect<SendOptions<E | ClientError, R>> =>
  Effect.map(Effect.context(), (context) => {
    let { progress } = options
    const told: SendOptions["progress"] = (now) => {
      try {
        progress?.(now)
      } catch (error) {
        progress = undefined
        const line = Effect.logError("a function that is told of progress is broken")
        Effect.runForkWith(context)(Effect.annotateLogs(line, { error: kindOf(error) }))
      }
    }
    return { ...options, body: checked(options.body), progress: progress && told }
  })
