import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Command from "effect/cli/Command"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as TestClock from "effect/testing/TestClock"
import { execFileSync, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { fileURLToPath } from "node:url"
import { Credentials } from "../../../src/Credentials.ts"
import { layerFile } from "../../../src/credentials/File.ts"
import { layerSql } from "../../../src/credentials/Sql.ts"
import { userCommand } from "../../../src/service/users/Command.ts"
import { fileStore } from "../../../src/service/users/FileStore.ts"
import { sqliteStore } from "../../../src/service/users/SqliteStore.ts"
import { hashes } from "../../../src/service/users/UserStore.ts"
import { COMMAND, ended } from "../../support/service.ts"

const alice = { username: "alice", realm: "example.com", password: Redacted.make("wonderland") }
const umlaut = { username: "d\u00e4n", realm: "example.com", password: Redacted.make("\u00fcber") }

/** What a relay knows of a user. */
const lookup = (username: string, realm = "example.com") =>
  Effect.flatMap(Credentials, (credentials) => credentials.lookup({ username, realm })).pipe(
    Effect.map(Option.match({
      onNone: () => undefined,
      onSome: (secret) =>
        secret._tag === "Ha1"
          ? Object.fromEntries(Object.entries(secret.ha1).map(([name, value]) => [name, Redacted.value(value)]))
          : "password"
    }))
  )

/** A new place for users, and what a relay has of it. */
const madeAs = Effect.fnUntraced(function*(kind: string) {
  const fs = yield* FileSystem.FileSystem
  const path = `${yield* fs.makeTempDirectoryScoped()}/users`
  return kind === "file"
    ? { path, store: yield* fileStore(path), credentials: Layer.orDie(layerFile({ path })) }
    : {
      path,
      store: sqliteStore(path),
      credentials: Layer.orDie(layerSql({ url: Redacted.make(`sqlite:${path}`), table: { ha1Sha256: "ha1_sha256" } }))
    }
})

it.effect("a database that somebody has locked is waited for with a word, is given up, and can be used when it is free", () =>
  Effect.gen(function*() {
    const { path, store } = yield* madeAs("SQLite")
    yield* store.add(alice)
    const words: Array<string> = []
    const error = (...text: ReadonlyArray<unknown>) => void words.push(text.join(" "))
    const told = Effect.provideService(Console.Console, { ...globalThis.console, error })
    const locked = yield* Effect.acquireRelease(
      Effect.sync(() => new DatabaseSync(path)),
      (database) => Effect.sync(() => database.close())
    )
    const turn = Effect.promise(() => new Promise((resume) => setImmediate(resume)))
    for (const change of [store.add(umlaut), store.remove(alice), store.list]) {
      locked.exec("BEGIN EXCLUSIVE")
      const waiting = yield* Effect.forkChild(told(Effect.result<unknown, { message: string }, never>(change)))
      // What loads SQLite takes real time.
      yield* turn
      yield* TestClock.adjust("900 millis")
      assert.deepStrictEqual(words, [])
      yield* TestClock.adjust("200 millis")
      assert.deepStrictEqual(words.splice(0), [`${path} is locked by another process: waiting for it`])
      yield* TestClock.adjust("30 seconds")
      const result = yield* Fiber.join(waiting)
      assert.isTrue(Result.isFailure(result))
      assert.strictEqual(
        Option.getOrThrow(Result.getFailure(result)).message,
        `${path} is locked by another process for 30 seconds`
      )
      words.length = 0
      const later = yield* Effect.forkChild(told(change))
      yield* turn
      yield* TestClock.adjust("900 millis")
      locked.exec("COMMIT")
      yield* TestClock.adjust("100 millis")
      yield* Fiber.join(later)
      assert.deepStrictEqual(words, [])
    }
    assert.deepStrictEqual(yield* store.list, [{ username: umlaut.username, realm: "example.com" }])
  }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)))

for (const kind of ["file", "SQLite"]) {
  describe(kind, () => {
    it.effect("who is added may log in, with the password given last, until he is removed", () =>
      Effect.gen(function*() {
        const fs = yield* FileSystem.FileSystem
        const { credentials, path, store } = yield* madeAs(kind)
        const known = (username: string, realm?: string) =>
          Effect.provide(lookup(username, realm), Layer.fresh(credentials))

        assert.deepStrictEqual(yield* store.list, [])
        yield* store.add({ ...alice, password: Redacted.make("before") })
        yield* store.add(umlaut)
        yield* store.add(alice)
        yield* store.add({ ...alice, realm: "other.example" })
        assert.deepStrictEqual(yield* known("alice"), hashes(alice))
        assert.deepStrictEqual(yield* known("da\u0308n".normalize("NFC")), hashes(umlaut))
        assert.deepStrictEqual(
          (yield* store.list).map(({ realm, username }) => `${username} ${realm}`).toSorted(),
          ["alice example.com", "alice other.example", "d\u00e4n example.com"]
        )
        assert.isTrue(yield* store.remove(alice))
        assert.isFalse(yield* store.remove(alice))
        assert.isUndefined(yield* known("alice"))
        assert.isDefined(yield* known("alice", "other.example"))
        assert.notInclude(yield* fs.readFileString(path), "wonderland")
        assert.strictEqual((yield* fs.stat(path)).mode & 0o777, 0o600)
        for (
          const bad of [{ username: "a:b" }, { username: "" }, { realm: "" }, { realm: "a\"b" }, { username: "a\nb" }]
        ) {
          yield* Effect.flip(store.add({ ...alice, ...bad }))
        }
      }).pipe(Effect.provide(NodeServices.layer)))
  })
}

it.effect("whoever may read a file of users goes on to, through a link too, whoever changes it", () =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const directory = yield* fs.makeTempDirectoryScoped()
    const [path, link] = [`${directory}/users`, `${directory}/link`]
    yield* fs.writeFileString(path, "")
    yield* fs.chmod(path, 0o640)
    // Only root may give a file away.
    const owner = process.getuid?.() === 0 ? 65_534 : process.getuid!()
    yield* fs.chown(path, owner, process.getgid!())
    yield* fs.symlink(path, link)
    const store = yield* fileStore(link)
    yield* store.add(alice)
    const { mode, uid } = yield* fs.stat(path)
    assert.deepStrictEqual([mode & 0o777, uid], [0o640, Option.some(owner)])
    assert.strictEqual(yield* fs.readLink(link), path)
    assert.include(yield* fs.readFileString(path), "alice:example.com:")
    assert.sameMembers(yield* fs.readDirectory(directory), ["users", "link"])
  }).pipe(Effect.provide(NodeServices.layer)))

it.effect("a link to a file that is not there yet stays one, and so that is made", () =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const directory = yield* fs.makeTempDirectoryScoped()
    const [path, link, further] = [`${directory}/users`, `${directory}/link`, `${directory}/further`]
    yield* fs.symlink("users", link)
    yield* fs.symlink(link, further)
    const store = yield* fileStore(further)
    assert.deepStrictEqual(yield* store.list, [])
    yield* store.add(alice)
    assert.deepStrictEqual([yield* fs.readLink(further), yield* fs.readLink(link)], [link, "users"])
    assert.include(yield* fs.readFileString(path), "alice:example.com:")
    assert.strictEqual((yield* fs.stat(path)).mode & 0o777, 0o600)
    assert.sameMembers(yield* fs.readDirectory(directory), ["users", "link", "further"])
    // Where it can not be made.
    for (const to of [`${directory}/nowhere/users`, "loop"]) {
      yield* fs.symlink(to, `${directory}/loop`)
      const broken = yield* fileStore(`${directory}/loop`)
      assert.include((yield* Effect.flip(broken.add(alice))).message, `${directory}/loop cannot be written: `)
      assert.strictEqual(yield* fs.readLink(`${directory}/loop`), to)
      yield* fs.remove(`${directory}/loop`)
    }
  }).pipe(Effect.provide(NodeServices.layer)))

it.effect("what a process that was killed has left beside the file goes with the next change", () =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const directory = yield* fs.makeTempDirectoryScoped()
    yield* fs.writeFileString(`${directory}/other`, "theirs")
    yield* fs.symlink("other", `${directory}/users.msrp-relay.new`)
    const store = yield* fileStore(`${directory}/users`)
    yield* store.add(alice)
    assert.sameMembers(yield* fs.readDirectory(directory), ["users", "other"])
    assert.strictEqual(yield* fs.readFileString(`${directory}/other`), "theirs")
    assert.strictEqual((yield* fs.stat(`${directory}/users`)).mode & 0o777, 0o600)
  }).pipe(Effect.provide(NodeServices.layer)))

it(
  "who is killed while he adds users leaves nothing that the next one does not take away",
  { timeout: 60_000 },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "msrp-users-"))
    try {
      // Killed when the new file is there, and has not taken the place of the one before.
      const program = `
      import * as NodeServices from "@effect/platform-node/NodeServices"
      import * as Effect from "effect/Effect"
      import * as FileSystem from "effect/FileSystem"
      import * as Redacted from "effect/Redacted"
      import { fileStore } from "./src/service/users/FileStore.ts"
      const fs = await Effect.runPromise(Effect.provide(FileSystem.FileSystem, NodeServices.layer))
      const dying = { ...fs, rename: () => Effect.sync(() => process.kill(process.pid, "SIGKILL")) }
      const store = await Effect.runPromise(Effect.provideService(fileStore(process.argv[1]), FileSystem.FileSystem, dying))
      await Effect.runPromise(store.add({ username: "a", realm: "r", password: Redacted.make("p") }))
    `
      const path = join(folder, "users")
      const child = spawn(process.execPath, ["--input-type=module", "-e", program, path], {
        cwd: fileURLToPath(new URL("../../..", import.meta.url)),
        stdio: "ignore"
      })
      assert.strictEqual((await once(child, "close"))[1], "SIGKILL")
      assert.include(readdirSync(folder).join(" "), ".new")
      const store = await Effect.runPromise(Effect.provide(fileStore(path), NodeServices.layer))
      await Effect.runPromise(store.add(alice))
      assert.deepStrictEqual(readdirSync(folder), ["users"])
    } finally {
      rmSync(folder, { recursive: true })
    }
  }
)

it.effect("whose name would make his line a comment is not added to a file, but may be in a database", () =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const directory = yield* fs.makeTempDirectoryScoped()
    const eve = { ...alice, username: "#eve" }
    const store = yield* fileStore(`${directory}/users`)
    for (const username of ["#eve", " #eve", "\u00a0#"]) {
      assert.include((yield* Effect.flip(store.add({ ...eve, username }))).message, "comment")
    }
    assert.isFalse(yield* fs.exists(`${directory}/users`))
    yield* store.add({ ...eve, username: "e#ve" })
    assert.deepStrictEqual((yield* store.list).map(({ username }) => username), ["e#ve"])
    const database = sqliteStore(`${directory}/users.db`)
    yield* database.add(eve)
    assert.deepStrictEqual((yield* database.list).map(({ username }) => username), ["#eve"])
    // What is wrong with a file is told with its name.
    const text = yield* fileStore(directory)
    assert.include((yield* Effect.flip(text.list)).message, `${directory} cannot be read: `)
    // A device would be replaced, and a pipe waits for somebody.
    execFileSync("mkfifo", [`${directory}/pipe`])
    const pipe = yield* fileStore(`${directory}/pipe`)
    assert.include((yield* Effect.flip(pipe.add(alice))).message, `${directory}/pipe cannot be read: it is not a file`)
    assert.strictEqual((yield* fs.stat(`${directory}/pipe`)).type, "FIFO")
  }).pipe(Effect.provide(NodeServices.layer)))

it.effect("the H(A1)s of a user who may be in a database only are made, and it is said that no file has him", () =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const directory = yield* fs.makeTempDirectoryScoped()
    yield* fs.writeFileString(`${directory}/password`, "wonderland\n")
    const lines: Array<string> = []
    const warnings: Array<string> = []
    const console = Object.assign(Object.create(globalThis.console), {
      log: (line: string) => void lines.push(line),
      error: (line: string) => void warnings.push(line)
    })
    const hash = Effect.fnUntraced(function*(username: string, realm: string) {
      lines.length = warnings.length = 0
      yield* Command.runWith(userCommand, { version: "0" })(
        ["hash", "--user", username, "--realm", realm, "--password-file", `${directory}/password`]
      )
      const made = hashes({ ...alice, username, realm })
      assert.deepStrictEqual(lines.map((line) => line.slice(line.lastIndexOf(":") + 1)), [made["SHA-256"], made.MD5])
    }, Effect.provideService(Console.Console, console))
    yield* hash("#eve", "example.com")
    assert.match(warnings.join("\n"), /^In a file no user name begins with #.*; in a database one may$/)
    yield* hash("alice", "::1")
    assert.match(warnings.join("\n"), /^In a file no realm has a colon/)
    yield* hash("e#ve", "example.com")
    assert.deepStrictEqual(warnings, [])
  }).pipe(Effect.provide(NodeServices.layer)))

it.effect("the realm of a relay at an IPv6 address is for databases and hashes, and a file says what to do", () =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const directory = yield* fs.makeTempDirectoryScoped()
    const run = Command.runWith(userCommand, { version: "0" })
    yield* fs.writeFileString(`${directory}/password`, "wonderland\n")
    const password = ["--password-file", `${directory}/password`]
    for (const realm of ["::1", "2001:db8::1", "example.com:5060"]) {
      const who = ["--user", "alice", "--realm", realm]
      yield* run(["hash", ...who, ...password])
      yield* run(["add", "--sqlite", `${directory}/users.db`, ...who, ...password])
      const known = lookup("alice", realm).pipe(
        Effect.provide(Layer.fresh(Layer.orDie(
          layerSql({ url: Redacted.make(`sqlite:${directory}/users.db`), table: { ha1Sha256: "ha1_sha256" } })
        )))
      )
      assert.deepStrictEqual(yield* known, hashes({ ...alice, realm }))
      const { message } = yield* Effect.flip(run(["add", "--file", `${directory}/users`, ...who, ...password]))
      assert.include(message, "set MSRP_AUTH_REALM")
      assert.isFalse(yield* fs.exists(`${directory}/users`))
      yield* run(["remove", "--sqlite", `${directory}/users.db`, ...who])
      assert.isUndefined(yield* known)
    }
  }).pipe(Effect.provide(NodeServices.layer)))

it.effect("a file that is not in UTF-8 is named and left as it is", () =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const path = `${yield* fs.makeTempDirectoryScoped()}/users`
    const store = yield* fileStore(path)
    const changes: ReadonlyArray<Effect.Effect<unknown, { readonly message: string }>> = [
      store.add(alice),
      store.remove(alice),
      store.list
    ]
    for (const octet of [0xfc, 0x80, 0xc3]) {
      const octets = Buffer.concat([
        Buffer.from("j"),
        Buffer.from([octet]),
        Buffer.from(`:example.com:${"0".repeat(64)}\n`)
      ])
      yield* fs.writeFile(path, octets)
      for (const change of changes) {
        assert.strictEqual((yield* Effect.flip(change)).message, `${path} cannot be read: it is not in UTF-8`)
      }
      assert.deepStrictEqual(Buffer.from(yield* fs.readFile(path)), octets)
    }
  }).pipe(Effect.provide(NodeServices.layer)))

for (const kind of ["file", "SQLite"]) {
  it.effect(`a realm or name is the same however it is composed: ${kind}`, () =>
    Effect.gen(function*() {
      const { credentials, store } = yield* madeAs(kind)
      const composed = { ...umlaut, realm: "caf\u{e9}" }
      const decomposed = {
        ...composed,
        username: composed.username.normalize("NFD"),
        realm: composed.realm.normalize("NFD")
      }
      for (const [first, then] of [[composed, decomposed], [decomposed, composed]] as const) {
        yield* store.add({ ...first, password: Redacted.make("before") })
        yield* store.add(then)
        assert.deepStrictEqual(yield* store.list, [{ username: composed.username, realm: composed.realm }])
        assert.deepStrictEqual(
          yield* Effect.provide(lookup(composed.username, composed.realm), Layer.fresh(credentials)),
          hashes(composed)
        )
        assert.isTrue(yield* store.remove(first))
        assert.deepStrictEqual(yield* store.list, [])
      }
    }).pipe(Effect.provide(NodeServices.layer)))
}

it.effect("lines that somebody has written otherwise are of the same user", () =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const path = `${yield* fs.makeTempDirectoryScoped()}/users`
    const { MD5, "SHA-256": sha } = hashes(umlaut)
    yield* fs.writeFileString(path, `da\u{308}n:cafe\u{301}:${MD5}\nd\u{e4}n:caf\u{e9}:${sha}\n`)
    const store = yield* fileStore(path)
    assert.deepStrictEqual(yield* store.list, [{ username: "d\u{e4}n", realm: "caf\u{e9}" }])
    assert.isTrue(yield* store.remove({ username: "d\u{e4}n", realm: "cafe\u{301}" }))
    assert.strictEqual(yield* fs.readFileString(path), "")
  }).pipe(Effect.provide(NodeServices.layer)))

it("H(A1) is what htdigest makes", () => {
  assert.strictEqual(hashes(alice).MD5, "93dfce8dfebfae8af4a726982429d23a")
})

it.effect("the command says what is wrong", () =>
  Effect.gen(function*() {
    const run = Command.runWith(userCommand, { version: "0" })
    const { message } = yield* Effect.flip(run(["list"]))
    assert.include(message, "--file or --sqlite")
    const fs = yield* FileSystem.FileSystem
    const path = `${yield* fs.makeTempDirectoryScoped()}/users`
    const remove = ["remove", "--user", "a", "--realm", "r"]
    for (const store of ["--file", "--sqlite"]) {
      for (const command of [["list"], remove]) {
        const { message } = yield* Effect.flip(run([...command, store, path]))
        assert.strictEqual(message, `${path} cannot be read: there is no such file`)
      }
      assert.isFalse(yield* fs.exists(path))
    }
    yield* fs.writeFileString(path, "")
    assert.include((yield* Effect.flip(run([...remove, "--file", path]))).message, "no user a")
  }).pipe(Effect.provide(NodeServices.layer)))

it("six who add users at once lose none of them", { timeout: 180_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), "msrp-users-"))
  try {
    const path = join(folder, "users")
    const names = ["u1", "u2", "u3", "u4", "u5", "u6"]
    const [node, ...program] = COMMAND
    const codes = await Promise.all(names.map(async (name) => {
      const child = spawn(node, [...program, "user", "add", "--file", path, "--user", name, "--realm", "r"], {
        cwd: fileURLToPath(new URL("../../..", import.meta.url)),
        env: { PATH: process.env["PATH"], MSRP_PASSWORD: "wonderland" },
        stdio: "ignore"
      })
      return ended(child)
    }))
    assert.deepStrictEqual(codes, [0, 0, 0, 0, 0, 0])
    const listed = readFileSync(path, "utf8").split("\n").filter((line) => line !== "").map((line) =>
      line.split(":")[0]
    )
    assert.deepStrictEqual([...new Set(listed)].toSorted((a, b) => a!.localeCompare(b!)), names)
    assert.deepStrictEqual(readdirSync(folder), ["users"])
  } finally {
    rmSync(folder, { recursive: true })
  }
})
