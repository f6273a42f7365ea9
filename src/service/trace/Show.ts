/** `msrp-relay trace`, but for where the frames come from: shows them to whoever is there. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { Writable } from "node:stream"
import { TraceFrame } from "../../trace/TraceFrame.ts"
import { type FormatOptions, formatter } from "./Format.ts"

export interface ShowOptions extends Omit<FormatOptions, "colours"> {
  /** JSON, a frame on each line, for other programs. */
  readonly json?: boolean | undefined
  /** Where to: a terminal gets colours, unless NO_COLOR is set. */
  readonly output: Pick<Writable, "write" | "on" | "once" | "off"> & { readonly isTTY?: boolean | undefined }
}

const encode = Schema.encodeUnknownSync(TraceFrame)

/** One frame, as JSON on one line. */
export const jsonLine = (frame: TraceFrame): string => `${JSON.stringify(encode(frame))}\n`

/** One line of what `jsonLine` makes; fails with a `SchemaError` when it is none. */
export const parseLine = Schema.decodeUnknownEffect(Schema.fromJsonString(TraceFrame))

/** Waits until it is taken: a reader that is slow makes the trace drop frames, and not this program grow. */
const write = (output: ShowOptions["output"], text: string): Effect.Effect<void> =>
  Effect.callback((resume) => {
    if (output.write(text)) return resume(Effect.void)
    const drained = (): void => resume(Effect.void)
    output.once("drain", drained)
    return Effect.sync(() => void output.off("drain", drained))
  })

/** Completes when it cannot be written to: whoever read has gone, as `head` does. What fails after that is not heard. */
const gone = (output: ShowOptions["output"]): Effect.Effect<void> =>
  Effect.callback((resume) => void output.on("error", () => resume(Effect.void)))

/** Shows frames until there are no more, or nobody reads them. */
export const show = <E, R>(
  frames: Stream.Stream<TraceFrame, E, R>,
  { json = false, output, ...options }: ShowOptions
): Effect.Effect<void, E, R> =>
  Effect.suspend(() => {
    const colours = output.isTTY === true && (process.env["NO_COLOR"] ?? "") === ""
    const text = json ? jsonLine : formatter({ ...options, colours })
    return Effect.raceFirst(Stream.runForEach(frames, (frame) => write(output, text(frame))), gone(output))
  })
