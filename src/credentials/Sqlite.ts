/**
 * Queries a SQLite file on a worker thread, because SQLite blocks its caller. While another process has locked the file, a query
 * is retried, which delays only the clients that are logging in.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Semaphore from "effect/Semaphore"
import { extname } from "node:path"
import { Worker } from "node:worker_threads"
import type { SqliteAnswer, SqliteQuestion } from "./SqliteReader.ts"

/** The error of SQLite for a query. */
class SqliteProblem extends Data.TaggedError("SqliteProblem")<{
  readonly message: string
  readonly errcode: number | undefined
  readonly busy: boolean
}> {}

const LOCKED = new SqliteProblem({ message: "database is locked", errcode: 5, busy: true })

type Rows = ReadonlyArray<Readonly<Record<string, unknown>>>

/** Milliseconds between two tries on a locked file. */
const RETRY_PAUSE = 50

/** The worker thread: started at once, so that the first query does not wait for it, and again if it has ended. */
class Reader {
  #worker: Worker | undefined
  #questions = 0
  /** Whether the file was locked at the last query. */
  locked = false
  readonly #waiting = new Map<number, (answer: Omit<SqliteAnswer, "id">) => void>()

  constructor() {
    this.#running()
  }

  /** Sends a query; the function it returns cancels it. */
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
    // The extension is that of this file: TypeScript, or compiled JavaScript.
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

interface SqliteOptions {
  readonly path: string
  /** Seconds for which queries of a locked file are retried. */
  readonly timeout: number
}

/** Runs a statement with parameters; fails with the error of SQLite. */
export const openSqlite = Effect.fnUntraced(function*({ path, timeout }: SqliteOptions) {
  const reader = yield* Effect.acquireRelease(
    Effect.sync(() => new Reader()),
    (reader) => Effect.promise(() => reader.end())
  )
  // One at a time, so that queries that were interrupted while waiting are not sent.
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
      // Shortly before the time limit of the lookup itself, so that the lock is given as the reason.
      Effect.timeoutOrElse({
        duration: timeout * 1000 - RETRY_PAUSE,
        orElse: () => reader.locked ? Effect.fail(LOCKED) : Effect.never
      })
    )
})
