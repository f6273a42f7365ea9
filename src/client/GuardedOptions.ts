/**
 * Guards for the functions and streams among a program's options, which can be checked only while they are used. If one is
 * broken, that is logged once, by the kind of the error and without its message, and nothing else on the connection is affected.
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Stream from "effect/Stream"
import { kindOf } from "../logging/ErrorKind.ts"
import { OptionsError } from "../options/OptionsError.ts"
import { type ClientError, unusable } from "./ClientError.ts"
import { collectOf, UNDECIDED } from "./Collect.ts"
import type { ConnectOptions, SendOptions } from "./Options.ts"

/** Called with the error that a function threw, or with its unusable result. */
type OnBroken = (error: unknown) => void

/** Logs `message` at the first call only. */
const loggedOnce = (context: Context.Context<never>, message: string): OnBroken => {
  let logged = false
  return (error) => {
    if (logged) return
    logged = true
    Effect.runForkWith(context)(Effect.annotateLogs(Effect.logError(message), { error: kindOf(error) }))
  }
}

/** Handles the rejection of a promise: an unhandled one would end the process. */
const ifRejected = (result: unknown, onBroken: OnBroken): void => {
  if (Predicate.isPromiseLike(result)) void Promise.resolve(result).catch(onBroken)
}

/** Calls `ask`, and gives `otherwise` if it throws or `read` cannot use its result. */
const guardedAnswer = <Given, Answer>(
  ask: (given: Given) => unknown,
  read: (answer: unknown) => Answer | undefined,
  otherwise: Answer,
  onBroken: OnBroken
) =>
(given: Given): Answer => {
  try {
    const answer = ask(given)
    ifRejected(answer, () => {})
    const usable = read(answer)
    if (usable !== undefined) return usable
    onBroken(answer)
  } catch (error) {
    onBroken(error)
  }
  return otherwise
}

/** Whether a value has octets that can be read: a buffer that was transferred to another thread has none left. */
export const isOctets = (value: unknown): value is Uint8Array =>
  value instanceof Uint8Array && !(value.buffer instanceof ArrayBuffer && value.buffer.detached)

type Body<E, R> = SendOptions<E, R>["body"]

/** A streamed body fails when it gives something other than octets. */
const guardedBody = <E, R>(body: Body<E, R>): Body<E | ClientError, R> =>
  Stream.isStream(body)
    ? Stream.mapArrayEffect(body, (pieces) => pieces.every(isOctets) ? Effect.succeed(pieces) : Effect.fail(noOctets()))
    : body

const noOctets = (): ClientError => {
  const problem = "must give octets, which no other thread has"
  return unusable(new OptionsError({ layer: "send", problems: [{ option: "body", problem }] }))
}

/** `progress` is not called again after it failed; the message goes on. */
export const guardedSend = <E, R>(options: SendOptions<E, R>): Effect.Effect<SendOptions<E | ClientError, R>> =>
  Effect.map(Effect.context(), (context) => {
    let { progress } = options
    const log = loggedOnce(context, "a function that is told of progress is broken")
    const onBroken = (error: unknown): void => {
      progress = undefined
      log(error)
    }
    const guardedProgress: SendOptions["progress"] = (now) => {
      try {
        ifRejected(progress?.(now), onBroken)
      } catch (error) {
        onBroken(error)
      }
    }
    return { ...options, body: guardedBody(options.body), progress: progress && guardedProgress }
  })

/** Without a usable answer, `collect` refuses the message, and `admits` does not admit the address. */
export const guardedConnect = (options: ConnectOptions): Effect.Effect<ConnectOptions> =>
  Effect.map(Effect.context(), (context) => {
    const { admits, collect } = options
    const logCollect = loggedOnce(context, "a function that says what becomes of messages is broken")
    const logAdmits = loggedOnce(context, "a function that admits addresses is broken")
    return {
      ...options,
      collect: typeof collect === "function" ? guardedAnswer(collect, collectOf, UNDECIDED, logCollect) : collect,
      admits: admits &&
        guardedAnswer(admits, (answer) => typeof answer === "boolean" ? answer : undefined, false, logAdmits)
    }
  })
