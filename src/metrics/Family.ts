/** Metrics of one name: what they mean, and how each of their series is read when somebody asks. */
import type * as Context from "effect/Context"
import type { Registration } from "effect/Metric"
import * as Metric from "effect/Metric"
import type { Sources } from "./Sources.ts"

/** One line of the page: the values of its labels, and what it is now. */
export interface Series {
  readonly labels: Readonly<Record<string, string>>
  readonly read: () => number
}

export interface Family {
  /** With its unit and, where it counts, `_total`, as Prometheus' conventions have it. */
  readonly name: string
  readonly type: "counter" | "gauge" | "histogram"
  /** A sentence, without a full stop. */
  readonly help: string
  /** By name, the values that there are, or what they are. None grows with users. */
  readonly labels: Readonly<Record<string, ReadonlyArray<string> | string>>
  /** None where somebody else keeps it, as a histogram. */
  readonly series: (sources: Sources) => ReadonlyArray<Series>
  /** Whether its series come and go. */
  readonly changes: boolean
}

type Read = (sources: Sources) => number

const family = (
  type: Family["type"],
  name: string,
  help: string,
  labels: Family["labels"],
  series: Family["series"],
  changes = false
): Family => ({ name: `msrp_relay_${name}`, type, help, labels, series, changes })

const alone = (type: Family["type"]) => (name: string, help: string, read: Read): Family =>
  family(type, name, help, {}, (sources) => [{ labels: {}, read: () => read(sources) }])

const by = (type: Family["type"]) =>
<const Value extends string>(
  name: string,
  help: string,
  [label, values]: readonly [label: string, values: ReadonlyArray<Value>],
  read: (sources: Sources, value: Value) => number
): Family =>
  family(
    type,
    name,
    help,
    { [label]: values },
    (sources) => values.map((value) => ({ labels: { [label]: value }, read: () => read(sources, value) }))
  )

/** Counts, which never become less while the relay lives. */
export const counter = alone("counter")
export const counterBy = by("counter")

/** What is so now. `NaN`: it is not known here. */
export const gauge = alone("gauge")
export const gaugeBy = by("gauge")

/** A counter with two labels. */
export const counterByTwo = <const A extends string, const B extends string>(
  name: string,
  help: string,
  [first, firsts]: readonly [label: string, values: ReadonlyArray<A>],
  [second, seconds]: readonly [label: string, values: ReadonlyArray<B>],
  read: (sources: Sources, a: A, b: B) => number
): Family =>
  family(
    "counter",
    name,
    help,
    { [first]: firsts, [second]: seconds },
    (sources) =>
      firsts.flatMap((a) =>
        seconds.map((b) => ({ labels: { [first]: a, [second]: b }, read: () => read(sources, a, b) }))
      )
  )

/** A gauge whose series come and go, as those of certificates; `what`: what the values of its label are. */
export const changingGauge = (
  name: string,
  help: string,
  [label, what]: readonly [label: string, what: string],
  read: (sources: Sources) => ReadonlyMap<string, number>
): Family =>
  family(
    "gauge",
    name,
    help,
    { [label]: what },
    (sources) =>
      Array.from(read(sources).keys(), (value) => ({
        labels: { [label]: value },
        read: () => read(sources).get(value) ?? Number.NaN
      })),
    true
  )

/** The unit that a name says, as Effect's exporters want it: they leave the attribute out of the page. */
const unitOf = (name: string): Readonly<Record<string, string>> => {
  const unit = /_(bytes|seconds)(?:_total)?$/.exec(name)?.[1]
  return unit === undefined ? {} : { unit }
}

/** Puts a series into the registry of this context: it is read whenever the registry is. */
export const register = (
  { help: description, name, type }: Family,
  { labels, read }: Series,
  context: Context.Context<never>
): Registration => {
  const attributes = { ...labels, ...unitOf(name) }
  const nothing = () => {}
  return type === "counter"
    ? Metric.registerUnsafe(Metric.counter(name, { description, attributes, incremental: true }), context, {
      get: () => ({ count: read(), incremental: true }),
      update: nothing,
      modify: nothing
    })
    : Metric.registerUnsafe(Metric.gauge(name, { description, attributes }), context, {
      get: () => ({ value: read() }),
      update: nothing,
      modify: nothing
    })
}
