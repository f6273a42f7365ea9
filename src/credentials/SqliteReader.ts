/** The worker thread that queries SQLite, so that a slow disk does not stop the relay. */
import { statSync } from "node:fs"
import { DatabaseSync } from "node:sqlite"
import { parentPort } from "node:worker_threads"

export interface SqliteQuestion {
  readonly id: number
  readonly path: string
  readonly statement: string
  readonly parameters: ReadonlyArray<string>
}

export interface SqliteAnswer {
  readonly id: number
  readonly rows?: ReadonlyArray<Readonly<Record<string, unknown>>>
  /** The message of SQLite if the query failed; `errcode` is the low octet of its code (https://sqlite.org/rescode.html). */
  readonly problem?: string
  readonly errcode?: number
  /** Whether another process has locked the file. */
  readonly busy?: boolean
}

const SQLITE_BUSY = 5
const SQLITE_LOCKED = 6
const SQLITE_NOTADB = 26

/** Whether the path is a directory or a pipe. Opening a pipe could block this thread, and the exit of the process, for ever. */
const isNoFile = (path: string): boolean => {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isFile() === false
  } catch {
    // SQLite reports the error when it opens the file.
    return false
  }
}

/** Runs a query. The file is opened each time, because it may be created or replaced while the relay runs. */
const rowsOf = ({ parameters, path, statement }: SqliteQuestion) => {
  const database = new DatabaseSync(path, { readOnly: true, timeout: 0 })
  try {
    const query = database.prepare(statement)
    // An integer too large for a JavaScript number would be an error.
    query.setReadBigInts(true)
    return query.all(...parameters)
  } finally {
    database.close()
  }
}

const problemOf = (error: unknown): Omit<SqliteAnswer, "id"> => {
  if (!(error instanceof Error) || !("errcode" in error)) return { problem: "failed" }
  const errcode = Number(error.errcode) & 0xff
  return { problem: error.message, errcode, busy: errcode === SQLITE_BUSY || errcode === SQLITE_LOCKED }
}

parentPort?.on("message", (question: SqliteQuestion) => {
  const { id } = question
  let answer: SqliteAnswer
  try {
    answer = isNoFile(question.path)
      ? { id, problem: "it is not a file", errcode: SQLITE_NOTADB }
      : { id, rows: rowsOf(question) }
  } catch (error) {
    answer = { id, ...problemOf(error) }
  }
  parentPort!.postMessage(answer, [])
})
