/** The thread that asks SQLite: what takes long there, as a file on a slow disk, stops nothing else. */
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
  /** Why there are none, in the words of SQLite, and the low octet of its code (https://sqlite.org/rescode.html). */
  readonly problem?: string
  readonly errcode?: number
  /** Somebody else has locked the file. */
  readonly busy?: boolean
}

const SQLITE_BUSY = 5
const SQLITE_LOCKED = 6
const SQLITE_NOTADB = 26

/** A folder, or a pipe, at which this thread would stand for ever, and the end of the process with it. */
const isNoFile = (path: string): boolean => {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isFile() === false
  } catch {
    // SQLite says what is wrong.
    return false
  }
}

/** Opened for each question: the file may be made, or put in place of another, while the relay runs. */
const rowsOf = ({ parameters, path, statement }: SqliteQuestion) => {
  const database = new DatabaseSync(path, { readOnly: true, timeout: 0 })
  try {
    const query = database.prepare(statement)
    // A number of more digits than JavaScript has would be an error.
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
      ? { id, problem: "it is no file", errcode: SQLITE_NOTADB }
      : { id, rows: rowsOf(question) }
  } catch (error) {
    answer = { id, ...problemOf(error) }
  }
  parentPort!.postMessage(answer, [])
})
