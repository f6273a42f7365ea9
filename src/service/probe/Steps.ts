/** The steps of a probe: each is timed, reported, and fails if nothing moves for too long. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { monotonicMillis } from "../../clock/Monotonic.ts"
import type { MsrpUri } from "../../protocol/Uri.ts"
import { ProbeFailed, Stalled } from "./Errors.ts"
import { explain, type StepError } from "./Explain.ts"
import type { ProbeReport, ProbeStep } from "./ProbeReport.ts"

interface StepsOptions {
  readonly relay: MsrpUri
  /** The address of the relay, for reports. */
  readonly where: string
  readonly user: string
  /** Seconds without progress after which a step fails. */
  readonly timeout: number
}

export const makeSteps = Effect.fnUntraced(function*({ relay, timeout, user, where }: StepsOptions, tell: ProbeReport) {
  const clock = yield* Clock.Clock
  const now = (): number => Math.round(monotonicMillis(clock))
  const began = now()
  let progress = 0
  const steps: Array<ProbeStep> = []
  const ended = (failure: string | undefined) =>
    Effect.suspend(() => tell.ended({ relay: where, user, millis: now() - began, steps, failure }))

  /** Fails if there is no progress within the timeout. */
  const watched = <A, E, R>(effect: Effect.Effect<A, E, R>) => {
    let seen = -1
    const stalled = Effect.suspend(() => {
      if (seen === progress) return Effect.succeed(true)
      seen = progress
      return Effect.succeed(false)
    })
    const watch = Effect.repeat(Effect.delay(stalled, `${timeout} seconds`), { until: (is) => is })
    return Effect.raceFirst(effect, Effect.andThen(watch, Effect.fail(new Stalled({ timeout }))))
  }

  /** Runs a step. `detail` says what else was seen, from its result and the milliseconds that it took. */
  const step = Effect.fnUntraced(function*<A, R>(
    name: string,
    effect: Effect.Effect<A, StepError, R>,
    detail: (result: A, millis: number) => string = () => ""
  ) {
    const start = now()
    progress++
    const result = yield* Effect.result(watched(effect))
    const millis = now() - start
    const ok = result._tag === "Success"
    const one = { name, ok, millis, detail: ok ? detail(result.success, millis) : "" }
    yield* tell.step(one)
    steps.push(one)
    if (ok) return result.success
    const why = explain(result.failure, relay)
    yield* ended(`${name}: ${why}`)
    return yield* new ProbeFailed({ step: name, message: `probe failed: ${name}: ${why}` })
  })

  return {
    step,
    /** Says that the current step has made progress. */
    progressed: (): void => void progress++,
    /** Reports that all steps have succeeded. */
    succeeded: ended(undefined)
  }
})
