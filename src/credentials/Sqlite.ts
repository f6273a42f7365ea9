/**
 * Questions to a SQLite file, asked on a thread of their own, since SQLite lets who asks wait. While somebody else has
 * locked the file, a question is asked again now and then: that holds up nobody but who wants to log in.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Semaphore from "effect/Semaphore"
import { extname } from "node:path"
import { Worker } from "node:worker_threads"
import type { SqliteAnswer, SqliteQuestion } from "./SqliteReader.ts"

/** Why there is no answer, as SQLite says it. */
class SqliteProblem extends Data.TaggedError("SqliteProblem")<{
  readonly message: string
  readonly errcode: number | undefined
  readonly busy: boolean
}> {}

const LOCKED = new SqliteProblem({ message: "database is locked", errcode: 5, busy: true })

type Rows = ReadonlyArray<Readonly<Record<string, unknown>>>

/** Milliseconds between two tries on a locked file. */
const RETRY_PAUSE = 50

/** The thread: there from the start, so that nobody waits for it, and started again when it has ended. */
class Reader {
  #worker: Worker | undefined
  #questions = 0
  /** The file was when it was asked last. */
  locked = false
  readonly #waiting = new Map<number, (answer: Omit<SqliteAnswer, "id">) => void>()

  constructor() {
    this.#running()
  }

  /** What it gives takes the question back. */
  ask(question: Omit<SqliteQuestion, "id">, answered: (answer: Omit<SqliteAnswer, "id">) => void): () => void {
    const id = ++this.#questions
    this.#waiting.set(id, answered)
    const whole: SqliteQuestion = { ...question, id }
    this.#running().postMessage(whole, [])
    return () => void this.#waiting.delete(id)
  }

  async end(): Promise<void> {
    await this.#worker?.terminate()
  }

  #running(): Worker {
    if (this.#worker !== undefined) return this.#worker
    // As this file is: in TypeScript, or made of it.
    const file = new URL(`./SqliteReader${extname(new URL(import.meta.url).pathname)}`, import.meta.url)
    const worker = this.#worker = new Worker(file, { execArgv: [], name: "SQLite" })
    worker.unref()
    worker.on("message", ({ id, ...answer }: SqliteAnswer) => this.#settle(id, answer))
    worker.on("error", () => this.#lost(worker))
    worker.on("exit", () => this.#lost(worker))
    return worker
  }

  #settle(id: number, answer: Omit<SqliteAnswer, "id">): void {
    this.locked = answer.busy ?? false
    const answered = this.#waiting.get(id)
    this.#waiting.delete(id)
    answered?.(answer)
  }

  #lost(worker: Worker): void {
    if (this.#worker !== worker) return
    this.#worker = undefined
    for (const id of this.#waiting.keys()) this.#settle(id, { problem: "the thread that reads it has ended" })
  }
}

export interface SqliteOptions {
  readonly path: string
  /** Seconds for which a locked file is tried again. */
  readonly timeout: number
}

/** Asks a statement with parameters; fails as SQLite does. */
export const openSqlite = Effect.fnUntraced(function*({ path, timeout }: SqliteOptions) {
  const reader = yield* Effect.acquireRelease(
    Effect.sync(() => new Reader()),
    (reader) => Effect.promise(() => reader.end())
  )
  // One at a time, so that what nobody waits for any more is not asked.
  const turn = yield* Semaphore.make(1)
  return (statement: string, parameters: ReadonlyArray<string>): Effect.Effect<Rows, SqliteProblem> =>
    Effect.callback<Rows, SqliteProblem>((resume) => {
      const takeBack = reader.ask({ path, statement, parameters }, ({ busy = false, errcode, problem, rows }) => {
        resume(
          rows === undefined
            ? Effect.fail(new SqliteProblem({ message: problem ?? "failed", errcode, busy }))
            : Effect.succeed(rows)
        )
      })
      return Effect.sync(takeBack)
    }).pipe(
      (asking) => turn.withPermit(asking),
      Effect.retry({ while: ({ busy }) => busy, schedule: Schedule.spaced(RETRY_PAUSE) }),
      // Shortly before nobody waits any more.
      Effect.timeoutOrElse({
        duration: timeout * 1000 - RETRY_PAUSE,
        orElse: () => reader.locked ? Effect.fail(LOCKED) : Effect.never
      })
    )
})
