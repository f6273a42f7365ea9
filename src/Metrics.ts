/**
 * What a relay counts, as metrics: in Effect's registry, and from there as a page for Prometheus or, with
 * `effect/observability`, by OTLP. The numbers are read when somebody asks for them: publishing costs the relay nothing.
 *
 * ```ts
 * const page = Effect.flatMap(Metrics, (metrics) => metrics.prometheus)
 * ```
 *
 * @module
 */

import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Registration } from "effect/Metric"
import * as PrometheusMetrics from "effect/observability/PrometheusMetrics"
import { LogCounters } from "./logging/LogCounters.ts"
import { families } from "./metrics/Catalogue.ts"
import { type Family, register } from "./metrics/Family.ts"
import { followProcess } from "./metrics/Process.ts"
import { ProgramFacts } from "./metrics/ProgramFacts.ts"
import { credentialsSeconds, dialSeconds, type Seconds } from "./metrics/Seconds.ts"
import type { Sources } from "./metrics/Sources.ts"
import { Relay } from "./Relay.ts"

export { LogCounters } from "./logging/LogCounters.ts"
export { CONTENT_TYPE } from "./metrics/ContentType.ts"
export { ProgramFacts } from "./metrics/ProgramFacts.ts"

/**
 * The metrics of a relay, while the layer lives.
 *
 * @category services
 * @since 0.2.0
 */
export class Metrics extends Context.Service<Metrics, {
  /** A page of all metrics in the registry, including those of the program, in Prometheus' text format. */
  readonly prometheus: Effect.Effect<string>
}>()("msrp-relay/Metrics") {
  /**
   * Publishes the relay's metrics in the current registry (`effect/Metric`'s `MetricRegistry`). A second relay in the
   * same registry replaces the metrics of the first, also when it ends before it. So give each a registry of its own, or
   * attributes (`CurrentMetricAttributes`), which become labels; provide either to the `Relay` too.
   */
  static readonly layer: Layer.Layer<Metrics, never, Relay> = Layer.effect(Metrics, Effect.suspend(() => make))
}

const make = Effect.gen(function*() {
  const context = yield* Effect.context()
  const sources: Sources = {
    relay: yield* Relay,
    process: yield* followProcess,
    log: yield* LogCounters,
    program: yield* ProgramFacts
  }

  const all = families.map((family) => new Published(family, sources, context))
  yield* Effect.addFinalizer(() => Effect.sync(() => all.forEach((one) => one.remove())))
  const refresh = (): void => all.forEach((one) => one.refresh())
  refresh()
  // Registers the histograms at 0 before anything is measured.
  for (const histogram of [dialSeconds, credentialsSeconds] as ReadonlyArray<Seconds<string>>) {
    for (const result of histogram.results) histogram.of(result).valueUnsafe(context)
  }
  // Series such as those of certificates may come and go between two exports of a program that reads the registry
  // itself.
  yield* Effect.sync(refresh).pipe(Effect.delay(REFRESH), Effect.forever, Effect.forkScoped)

  return Metrics.of({
    prometheus: Effect.sync(() => {
      refresh()
      return PrometheusMetrics.formatUnsafe(context)
    })
  })
})

/** Time between two checks for series that have come or gone. */
const REFRESH = "10 seconds"

/** The registered series of one family. */
class Published {
  readonly #family: Family
  readonly #sources: Sources
  readonly #context: Context.Context<never>
  #registrations: ReadonlyArray<Registration> = []
  #known: string | undefined

  constructor(family: Family, sources: Sources, context: Context.Context<never>) {
    this.#family = family
    this.#sources = sources
    this.#context = context
  }

  refresh(): void {
    const family = this.#family
    if (!family.changes && this.#known !== undefined) return
    const series = family.series(this.#sources)
    const known = JSON.stringify(series.map(({ labels }) => labels))
    if (known === this.#known) return
    this.remove()
    this.#known = known
    this.#registrations = series.map((one) => register(family, one, this.#context))
  }

  remove(): void {
    for (const registration of this.#registrations) registration.remove()
    this.#registrations = []
  }
}
