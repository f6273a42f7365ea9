/** What a program gives with a message, or to connect, that can only be looked at while it is used. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { OptionsError } from "../options/OptionsError.ts"
import { asked, ifRejected, loggedOnce } from "./Asked.ts"
import { type ClientError, unusable } from "./ClientError.ts"
import { collectOf, UNDECIDED } from "./Collect.ts"
import type { ConnectOptions, SendOptions } from "./Options.ts"

/** What is left of octets that were handed to another thread is nothing. */
export const isOctets = (value: unknown): value is Uint8Array =>
  value instanceof Uint8Array && !(value.buffer instanceof ArrayBuffer && value.buffer.detached)

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
    const log = loggedOnce(context, "a function that is told of progress is broken")
    const broken = (error: unknown): void => {
      progress = undefined
      log(error)
    }
    const told: SendOptions["progress"] = (now) => {
      try {
        ifRejected(progress?.(now), broken)
      } catch (error) {
        broken(error)
      }
    }
    return { ...options, body: checked(options.body), progress: progress && told }
  })

/** A message that nothing of use is said of is refused, and an address not connected to. */
export const guardedConnect = (options: ConnectOptions): Effect.Effect<ConnectOptions> =>
  Effect.map(Effect.context(), (context) => {
    const { admits, collect } = options
    const log = loggedOnce(context, "a function that says what becomes of messages is broken")
    const logAdmits = loggedOnce(context, "a function that admits addresses is broken")
    return {
      ...options,
      collect: typeof collect === "function" ? asked(collect, collectOf, UNDECIDED, log) : collect,
      admits: admits && asked(admits, (answer) => typeof answer === "boolean" ? answer : undefined, false, logAdmits)
    }
  })
