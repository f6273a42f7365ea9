/** Shows the frames of `msrp-relay trace`, wherever they come from. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { Writable } from "node:stream"
import { TraceFrame } from "../../trace/TraceFrame.ts"
import { type FormatOptions, formatter } from "./Format.ts"

interface ShowOptions extends Omit<FormatOptions, "colours"> {
  /** Whether to print each frame as JSON on one line. */
  readonly json?: boolean | undefined
  /** The output. A terminal gets colours unless NO_COLOR is set. */
  readonly output: Pick<Writable, "write" | "on" | "once" | "off"> & { readonly isTTY?: boolean | undefined }
}

const encode = Schema.encodeUnknownSync(TraceFrame)

/** A frame as JSON on one line. */
export const jsonLine = (frame: TraceFrame): string => `${JSON.stringify(encode(frame))}\n`

/**
 * Waits until the output has taken the text: with a slow reader the relay drops frames, and this program does not
 * buffer them.
 */
const write = (output: ShowOptions["output"], text: string): Effect.Effect<void> =>
  Effect.callback((resume) => {
    if (output.write(text)) return resume(Effect.void)
    const drained = (): void => resume(Effect.void)
    output.once("drain", drained)
    return Effect.sync(() => void output.off("drain", drained))
  })

/** Completes when the output cannot be written to, as when `head` has exited. Later errors are ignored. */
const gone = (output: ShowOptions["output"]): Effect.Effect<void> =>
  Effect.callback((resume) => void output.on("error", () => resume(Effect.void)))

/** Shows frames until the stream ends or the output is closed. */
export const show = <E, R>(
  frames: Stream.Stream<TraceFrame, E, R>,
  { json = false, output, ...options }: ShowOptions
): Effect.Effect<void, E, R> =>
  Effect.suspend(() => {
    const colours = output.isTTY === true && (process.env["NO_COLOR"] ?? "") === ""
    const text = json ? jsonLine : formatter({ ...options, colours })
    return Effect.raceFirst(Stream.runForEach(frames, (frame) => write(output, text(frame))), gone(output))
  })
