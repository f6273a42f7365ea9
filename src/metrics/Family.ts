/** A metric family: its documentation, and how each of its series is read on demand. */
import type * as Context from "effect/Context"
import type { Registration } from "effect/Metric"
import * as Metric from "effect/Metric"
import type { Sources } from "./Sources.ts"

/** One series: the values of its labels, and how its value is read. */
export interface Series {
  readonly labels: Readonly<Record<string, string>>
  readonly read: () => number
}

export interface Family {
  /** The name with its unit and, for a counter, `_total`, as Prometheus' conventions require. */
  readonly name: string
  readonly type: "counter" | "gauge" | "histogram"
  /** A sentence without a full stop. */
  readonly help: string
  /** For each label, its possible values or their description. The number of values does not grow with users. */
  readonly labels: Readonly<Record<string, ReadonlyArray<string> | string>>
  /** The series; empty if they are kept elsewhere, as those of a histogram. */
  readonly series: (sources: Sources) => ReadonlyArray<Series>
  /** Whether series may come and go, or be absent. */
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

/** A counter, which never decreases while the relay lives. */
export const counter = alone("counter")
export const counterBy = by("counter")

/** A gauge. `NaN` means that the value is unknown on this system. */
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

/** A gauge of one series that is always 1: its labels are the facts. Without facts there is no series. */
export const info = <const Label extends string>(
  name: string,
  help: string,
  labels: Readonly<Record<Label, string>>,
  read: (sources: Sources) => Readonly<Record<Label, string>> | undefined
): Family =>
  family(
    "gauge",
    name,
    help,
    labels,
    (sources) => {
      const facts = read(sources)
      return facts === undefined ? [] : [{ labels: facts, read: () => 1 }]
    },
    true
  )

/** A gauge whose series come and go, such as those of certificates. `what` describes the values of its label. */
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

/** The unit from a name, as an attribute that Effect's exporters expect and leave out of the page. */
const unitOf = (name: string): Readonly<Record<string, string>> => {
  const unit = /_(bytes|seconds)(?:_total)?$/.exec(name)?.[1]
  return unit === undefined ? {} : { unit }
}

/** Registers a series in the registry of this context. Its value is read whenever the registry is. */
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
