/**
 * The log on standard output. A line that cannot be written, because nobody reads, the disk is full or the reader is
 * gone, is dropped and counted, and the relay goes on.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { fstatSync, writeSync } from "node:fs"
import { Writable } from "node:stream"
import { LogCounters } from "../logging/LogCounters.ts"

/** Octets that may wait for a slow reader; lines beyond them are dropped. */
export const MAX_WAITING = 1_048_576

/** Time for the reader to take the last lines when the program ends. */
const LAST_LINES = "500 millis"

/** A destination of lines. */
export interface Sink {
  /** Octets that are not written yet. */
  readonly waiting: number
  /** Calls `done`, possibly synchronously, when the text is written or cannot be. Never throws. */
  readonly write: (text: string, done: (error?: unknown) => void) => void
}

/**
 * A file, written synchronously. After a partial write, the next line starts with a line end, so that it is not
 * joined to the half line.
 */
export const fileSink = (write: (octets: Buffer) => number): Sink => {
  let torn = false
  const all = (text: string): void => {
    const octets = Buffer.from(torn ? `\n${text}` : text)
    for (let at = 0; at < octets.length;) {
      at += write(octets.subarray(at))
      torn = at < octets.length
    }
  }
  return {
    waiting: 0,
    write: (text, done) => {
      try {
        all(text)
      } catch (error) {
        return done(error)
      }
      done()
    }
  }
}

/** A pipe, a socket or a terminal, which takes text when its reader does. */
export const streamSink = (stream: Writable): Sink => {
  // Errors are reported to the callbacks; without a listener, the event would end the process.
  stream.on("error", () => {})
  return {
    get waiting() {
      return stream.writableLength
    },
    write: (text, done) => void stream.write(text, done)
  }
}

/** A stream of lines to a sink. */
export class LogOutput extends Writable {
  readonly #sink: Sink
  /** Where lost lines are counted as well. */
  readonly #counters: { lost: number } | undefined
  #lost = 0
  /** Lost lines that the line being written reports. They are subtracted when it is written. */
  telling = 0

  constructor(sink: Sink, counters?: { lost: number }) {
    super({ decodeStrings: false })
    this.#sink = sink
    this.#counters = counters
  }

  /** Lost lines that have not been reported. */
  get lost(): number {
    return this.#lost
  }

  get waiting(): number {
    return this.#sink.waiting
  }

  override _write(text: string, _: BufferEncoding, done: () => void): void {
    const { telling } = this
    this.telling = 0
    const written = (error?: unknown): void => {
      if (error === undefined || error === null) this.#lost -= telling
      else if (telling === 0) {
        this.#lost++
        if (this.#counters !== undefined) this.#counters.lost++
      }
    }
    if (this.#sink.waiting + text.length > MAX_WAITING) written("full")
    else this.#sink.write(text, written)
    done()
  }
}

/** The standard output of this process. */
const standardOutput = (): Sink => {
  let isFile = true
  try {
    isFile = fstatSync(1).isFile()
  } catch {
    // Standard output is closed: each write will fail.
  }
  if (isFile) return fileSink((octets) => writeSync(1, octets))
  const { stdout } = process
  // By default, Node writes to a terminal synchronously, so one that is stopped (Ctrl-S) would stop the relay.
  const { _handle } = stdout as unknown as { readonly _handle?: { readonly setBlocking?: (on: boolean) => void } }
  if (stdout.isTTY) _handle?.setBlocking?.(false)
  return streamSink(stdout)
}

/** The log output of this program. When the scope closes, waiting lines get a short time to be read. */
export const make = (sink: () => Sink = standardOutput): Effect.Effect<LogOutput, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.map(LogCounters, (counters) => new LogOutput(sink(), counters)),
    (output) =>
      Effect.sleep("10 millis").pipe(
        Effect.repeat({ while: () => output.waiting > 0 }),
        Effect.timeoutOption(LAST_LINES),
        Effect.when(Effect.sync(() => output.waiting > 0))
      )
  )

/** Logs the number of lost lines as soon as output is possible again. */
export const tellLost = (output: LogOutput): Effect.Effect<void> =>
  Effect.suspend(() => {
    const { lost } = output
    if (lost === 0) return Effect.void
    output.telling = lost
    return Effect.logWarning("lines of the log were lost: they could not be written").pipe(
      Effect.annotateLogs({ lines: lost }),
      Effect.ensuring(Effect.sync(() => output.telling = 0))
    )
  })
