/** Checks the permissions of files that the settings name: who can read the secret ones, and who can change any. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { dirname, resolve } from "node:path"
import { driverOf, sqlite, sqlitePathOf } from "../../credentials/SqlDrivers.ts"
import { type BackendSettings, backendsOf, type SettingsShape } from "../Settings.ts"
import { reasonOf } from "../settings/TextFile.ts"
import { type Finding, findingsOf } from "./Finding.ts"

const { ok, problem, skipped, warning } = findingsOf("files")

/** A file that a variable names. */
interface NamedFile {
  readonly variable: string
  readonly path: string
  /** Whether the file contains keys, passwords or tokens, and only the service may read it. */
  readonly secret: boolean
}

const SQL = "MSRP_SQL_URL"

const OTHERS_READ = 0o004
const OTHERS_WRITE = 0o002
const OTHERS_ENTER = 0o001

/** Maximum number of parent directories that are checked. */
const MAX_DEPTH = 64

export const checkFiles = Effect.fnUntraced(function*(
  settings: SettingsShape
): Effect.fn.Return<ReadonlyArray<Finding>, never, FileSystem.FileSystem> {
  const files = filesOf(settings)
  return files.length === 0
    ? [skipped("", "no setting names a file")]
    : (yield* Effect.forEach(files, checkFile, { concurrency: "unbounded" })).flat()
})

/** The file of the database, if the backend reads an SQLite file. */
const databaseFileOf = (backend: BackendSettings): ReadonlyArray<string> => {
  if (backend._tag !== "Sql") return []
  const url = Redacted.value(backend.url)
  return driverOf(url) === sqlite ? [sqlitePathOf(url)] : []
}

const filesOf = (
  { credentials, secretFiles, tlsFiles: { ca, cert, key } }: SettingsShape
): ReadonlyArray<NamedFile> => {
  const backends = backendsOf(credentials)
  const all: ReadonlyArray<NamedFile> = [
    ...secretFiles.map((one) => ({ ...one, secret: true })),
    ...cert.map((path) => ({ variable: "MSRP_TLS_CERT", path, secret: false })),
    ...key.map((path) => ({ variable: "MSRP_TLS_KEY", path, secret: true })),
    ...(ca === undefined ? [] : [{ variable: "MSRP_TLS_CA", path: ca, secret: false }]),
    ...backends.flatMap((backend) =>
      backend._tag === "File" ? [{ variable: "MSRP_CREDENTIALS_FILE", path: backend.path, secret: true }] : []
    ),
    ...backends.flatMap(databaseFileOf).map((path) => ({ variable: SQL, path, secret: true }))
  ]
  // Certificate and key may be in one file, which then is as secret as the key.
  return all.filter((one, index) =>
    !all.some((other, at) =>
      at !== index && other.path === one.path && (other.secret === one.secret ? at < index : other.secret)
    )
  )
}

const checkFile = Effect.fnUntraced(function*({ path, secret, variable }: NamedFile) {
  const fs = yield* FileSystem.FileSystem
  const subject = `${path} (${variable})`
  return yield* Effect.gen(function*() {
    const { mode, type } = yield* fs.stat(path)
    if (type !== "File") return [problem(subject, `is not a file, but a ${type}`)]
    yield* fs.access(path, { readable: true })
    const permissions = (mode & 0o777).toString(8).padStart(3, "0")
    if ((mode & OTHERS_WRITE) !== 0 && (yield* isWithinReach(path))) {
      return [warning(subject, `everybody on this machine may change it (mode ${permissions})`, `chmod o-w ${path}`)]
    }
    if (secret && (mode & OTHERS_READ) !== 0 && (yield* isWithinReach(path))) {
      return [warning(subject, `everybody on this machine may read it (mode ${permissions})`, `chmod o-rwx ${path}`)]
    }
    return [ok(subject, `can be read (mode ${permissions})`)]
  }).pipe(
    // A missing database is reported by the check of users.
    Effect.catch((error) => Effect.succeed(variable === SQL ? [] : [problem(subject, reasonOf(error))]))
  )
})

/** Whether all users can search every parent directory; otherwise the permissions of the file do not matter. */
const isWithinReach = Effect.fnUntraced(function*(path: string) {
  const fs = yield* FileSystem.FileSystem
  let at = dirname(Option.getOrElse(yield* Effect.option(fs.realPath(path)), () => resolve(path)))
  for (let depth = 0; depth < MAX_DEPTH; depth++) {
    const info = yield* Effect.option(fs.stat(at))
    if (Option.isSome(info) && (info.value.mode & OTHERS_ENTER) === 0) return false
    if (dirname(at) === at) break
    at = dirname(at)
  }
  return true
})
