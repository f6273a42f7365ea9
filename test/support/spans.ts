/** Spans as a tracer of the tests sees them. */
import * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"

export interface Seen {
  readonly name: string
  /** The name of the span that it is in. */
  readonly parent: string | undefined
  readonly attributes: Readonly<Record<string, unknown>>
}

/** A tracer, and the spans that were begun with it, in order. */
export const recordingTracer = () => {
  const spans: Array<Tracer.NativeSpan> = []
  const tracer = Tracer.make({
    span: (options) => {
      const span = new Tracer.NativeSpan(options)
      spans.push(span)
      return span
    }
  })
  const seen = (): ReadonlyArray<Seen> =>
    spans.map(({ attributes, name, parent }) => {
      const above = Option.getOrUndefined(parent)
      return {
        name,
        parent: above?._tag === "Span" ? above.name : undefined,
        attributes: Object.fromEntries(attributes)
      }
    })
  return { tracer, seen }
}
