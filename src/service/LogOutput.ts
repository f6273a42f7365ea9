/**
 * Where the lines of the log go: standard output, whatever becomes of it. A line that cannot be written, since nobody
 * reads, the disk is full or the reader is gone, is dropped and counted, and the relay goes on.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { fstatSync, writeSync } from "node:fs"
import { Writable } from "node:stream"
import { LogCounters } from "../logging/LogCounters.ts"

/** Octets that wait for a slow reader; lines beyond them are dropped. */
export const MAX_WAITING = 1_048_576

/** How long the last lines may take to be read when the program ends. */
const LAST_LINES = "500 millis"

/** Something that lines are written to. */
export interface Sink {
  /** Octets that it has not got rid of. */
  readonly waiting: number
  /** Calls back, maybe at once, when it is written, or can't be. Never throws. */
  readonly write: (text: string, done: (error?: unknown) => void) => void
}

/** A file: written at once. What does not go in as a whole leaves half a line, which the next one must not go on with. */
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

/** A pipe, a socket or a terminal: the system takes it when the reader does. */
export const streamSink = (stream: Writable): Sink => {
  // What the callbacks tell is enough; without a listener it would end the process.
  stream.on("error", () => {})
  return {
    get waiting() {
      return stream.writableLength
    },
    write: (text, done) => void stream.write(text, done)
  }
}

/** Lines on their way to a sink. */
export class LogOutput extends Writable {
  readonly #sink: Sink
  /** Where what is lost is counted as well. */
  readonly #counters: { lost: number } | undefined
  #lost = 0
  /** Lines that were lost, of which the line tells that is written next: they are forgotten when it arrives. */
  telling = 0

  constructor(sink: Sink, counters?: { lost: number }) {
    super({ decodeStrings: false })
    this.#sink = sink
    this.#counters = counters
  }

  /** Lines that could not be written, and that nobody was told of. */
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

/** Standard output of this process. */
const standardOutput = (): Sink => {
  let isFile = true
  try {
    isFile = fstatSync(1).isFile()
  } catch {
    // Closed: each write will say so.
  }
  if (isFile) return fileSink((octets) => writeSync(1, octets))
  const { stdout } = process
  // A terminal that was stopped (Ctrl-S) would stop the relay: Node writes to one only when it can be written to at once.
  const { _handle } = stdout as unknown as { readonly _handle?: { readonly setBlocking?: (on: boolean) => void } }
  if (stdout.isTTY) _handle?.setBlocking?.(false)
  return streamSink(stdout)
}

/** The output of this program, until the scope closes; what waits then has a moment to be read. */
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

/** Logs how many lines were lost, as soon as there is a way to. */
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
