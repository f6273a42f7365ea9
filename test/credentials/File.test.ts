import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import * as ByteSize from "effect/ByteSize"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as PlatformError from "effect/PlatformError"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"
import { Credentials } from "../../src/Credentials.ts"
import { type CredentialsFileError, type FileOptions, layerFile } from "../../src/credentials/File.ts"
import type { OptionsError } from "../../src/options/Options.ts"
import { ha1 } from "../../src/protocol/digest/Digest.ts"

const REALM = "intra.example.com"
const MD5 = "80be1c328e6bf1a5c124624b9b990edd"
const SHA = "aff93887458e7598df06411d3d72fad981e72ea355b3c919c129d5ae119b0022"

const find = (username: string, realm = REALM) =>
  Effect.gen(function*() {
    const credentials = yield* Credentials
    const secret = yield* credentials.lookup({ username, realm })
    if (Option.isNone(secret)) return undefined
    return secret.value._tag === "Password"
      ? Redacted.value(secret.value.password)
      : Object.fromEntries(Object.entries(secret.value.ha1).map(([name, one]) => [name, Redacted.value(one)]))
  })

const failure = <A, R>(effect: Effect.Effect<A, CredentialsFileError | OptionsError, R>) =>
  Effect.flip(Effect.catchTag(effect, "OptionsError", Effect.die))

/** A file that changes when told to, and counts how often it is read. */
const fake = (text: string) => {
  const file = { text, type: "File" as FileSystem.File.Type, modified: 1, missing: false, denied: false, reads: 0 }
  const missing = PlatformError.systemError({ _tag: "NotFound", module: "FileSystem", method: "stat" })
  const info = (): FileSystem.File.Info => ({
    type: file.type,
    mtime: Option.some(new Date(file.modified)),
    atime: Option.none(),
    birthtime: Option.none(),
    dev: 1n,
    ino: Option.none(),
    mode: 0o600,
    nlink: Option.none(),
    uid: Option.none(),
    gid: Option.none(),
    rdev: Option.none(),
    size: ByteSize.bytes(file.text.length),
    blksize: Option.none(),
    blocks: Option.none()
  })
  const layer = FileSystem.layerNoop({
    stat: () => Effect.suspend(() => file.missing ? Effect.fail(missing) : Effect.succeed(info())),
    readFile: () =>
      Effect.suspend(() => {
        file.reads++
        return file.denied ? Effect.fail(missing) : Effect.succeed(Buffer.from(file.text))
      })
  })
  const lines: Array<string> = []
  const logger = Logger.layer([Logger.map(Logger.formatJson, (line) => void lines.push(line))])
  return {
    file,
    lines,
    write: (text: string) => {
      file.text = text
      file.modified++
    },
    provide: (options: Partial<FileOptions> = {}) =>
      Effect.provide(layerFile({ path: "users", ...options }).pipe(Layer.provide(layer), Layer.provideMerge(logger)))
  }
}

it.effect("a file that has no users any more is a warning, as what a full disk leaves of it: all of them are refused", () => {
  const { lines, provide, write } = fake(`alice:${REALM}:${MD5}\n`)
  return Effect.gen(function*() {
    write("")
    yield* TestClock.adjust("2 seconds")
    assert.isUndefined(yield* find("alice"))
    write(`alice:${REALM}:${MD5}\n`)
    yield* TestClock.adjust("2 seconds")
    const told = lines.map((line) => JSON.parse(line)).map(({ annotations, level }) => [level, annotations.users])
    assert.deepStrictEqual(told, [["WARN", 0], ["INFO", 1]])
  }).pipe(provide())
})

it.effect("a file that has no users of the realms that clients are asked for any more is warned of: nobody can log in", () => {
  const { lines, provide, write } = fake(`alice:${REALM}:${MD5}\n`)
  return Effect.gen(function*() {
    const unserved = (yield* Credentials).unserved!
    const told = Effect.gen(function*() {
      yield* TestClock.adjust("2 seconds")
      return lines.splice(0).map((line) => JSON.parse(line)).map(({ level, message }) => [level, message])
    })
    const read = ["INFO", "Credentials file read"]
    const warning = [
      "WARN",
      `The credentials file users has 2 lines for realms whose users are not looked up there (but those of ${REALM}, d\u{e4}n are): ` +
      "a.example (line 1), b.example (line 2)"
    ]
    const others = `alice:a.example:${MD5}\nbob:b.example:${MD5}\n`
    write(others)
    assert.isUndefined(unserved())
    assert.deepStrictEqual(yield* told, [read, warning])
    assert.strictEqual(`The credentials file users has ${unserved()}`, warning[1])
    write(`${others}carol:da\u{308}n:${MD5}`)
    assert.deepStrictEqual(yield* told, [read])
    assert.isUndefined(unserved())
    write("")
    assert.deepStrictEqual(yield* told, [["WARN", "Credentials file read"]])
  }).pipe(provide({ realms: [REALM, "da\u{308}n"] }))
})

it.effect("the realms of a file of passwords are not named, because a part of a password may be taken for one", () => {
  const { lines, provide, write } = fake(`alice:${REALM}:wonder:land\n`)
  return Effect.gen(function*() {
    write("alice:wonder:land\n")
    yield* TestClock.adjust("2 seconds")
    assert.match(lines.join("\n"), /has 1 line for a realm .*: line 1"/)
    assert.notInclude(lines.join("\n"), "wonder")
    write("alice::land\n")
    yield* TestClock.adjust("2 seconds")
    assert.lengthOf(lines.filter((line) => line.includes("WARN")), 1)
  }).pipe(provide({ realms: [REALM], calculateHa1: true }))
})

describe("layerFile", () => {
  it.effect("R7616-3.6-01 reads user:realm:HA1 of either algorithm, comments and empty lines", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* find("alice"), { "MD5": MD5, "SHA-256": SHA })
      assert.deepStrictEqual(yield* find("bob"), { MD5 })
      assert.isUndefined(yield* find("alice", "extra.example.com"))
      assert.isUndefined(yield* find("# alice"))
      const credentials = yield* Credentials
      assert.deepStrictEqual(credentials.algorithms, ["MD5"])
    }).pipe(
      fake(`\uFEFFalice:${REALM}:${MD5}\r\n\r\n# users\r\n  # more\n\t\nalice:${REALM}:${SHA} \nbob:${REALM}:${MD5}`)
        .provide()
    ))

  it.effect("reads passwords when H(A1) is to be calculated", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* find("alice"), "a:b # c ")
      assert.strictEqual(yield* find("bob", "any"), MD5)
    }).pipe(fake(`alice:${REALM}:a:b # c \r\nbob::${MD5}\n`).provide({ calculateHa1: true })))

  it.effect("sees a change at the next check, also one that does not show in the file's time", () => {
    const { file, provide, write } = fake(`alice:${REALM}:${MD5}`)
    return Effect.gen(function*() {
      const credentials = yield* Credentials
      write(`alice:${REALM}:${SHA}\nbob:${REALM}:${SHA}`)
      assert.deepStrictEqual(yield* find("alice"), { MD5 })
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* find("alice"), { "SHA-256": SHA })
      assert.deepStrictEqual(credentials.algorithms, ["SHA-256"])
      file.text = `alice:${REALM}:${SHA}\nbob:${REALM}:${ha1("SHA-256", "bob", REALM, "new")}`
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* find("bob"), { "SHA-256": ha1("SHA-256", "bob", REALM, "new") })
      const { reads } = file
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(file.reads, reads)
    }).pipe(provide())
  })

  it.effect("nobody is refused while the file is written anew, and who is gone when it is written is gone", () => {
    const { lines, provide, write } = fake(`alice:${REALM}:${MD5}\nbob:${REALM}:${MD5}\ncarol:${REALM}:${MD5}`)
    const users = Effect.map(
      Effect.all([find("alice"), find("bob"), find("carol")]),
      (all) => all.map((one) => one !== undefined)
    )
    return Effect.gen(function*() {
      for (const begun of ["", `carol:${REALM}:${SHA}\n`]) {
        write(begun)
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(yield* users, [true, true, true])
      }
      write(`carol:${REALM}:${SHA}\nalice:${REALM}:${MD5}\n`)
      yield* TestClock.adjust("1 second")
      assert.isDefined(yield* find("bob"))
      assert.lengthOf(lines, 0)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* users, [true, false, true])
      assert.lengthOf(lines, 1)
      // One that is never the same twice is used as well.
      for (let i = 0; i < 10; i++) {
        write(`carol:${REALM}:${SHA}\n# ${i}`)
        yield* TestClock.adjust("1 second")
      }
      assert.isDefined(yield* find("alice"))
      write(`carol:${REALM}:${SHA}\n`)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* users, [false, false, true])
    }).pipe(provide())
  })

  it.effect("keeps the last good users after a broken edit, and logs the line without what it says", () => {
    const { lines, provide, write } = fake(`alice:${REALM}:${MD5}`)
    return Effect.gen(function*() {
      write(`bob:${REALM}:${MD5}\ncarol:${REALM}:Secret-1\nSecret-2`)
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual(yield* find("alice"), { MD5 })
      assert.isUndefined(yield* find("bob"))
      assert.strictEqual(lines.length, 1)
      assert.include(lines[0], "line 2")
      assert.include(lines[0], "line 3")
      assert.notMatch(lines[0]!, /Secret|carol|80be/)
      write(`bob:${REALM}:${MD5}`)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* find("bob"), { MD5 })
      assert.isUndefined(yield* find("alice"))
    }).pipe(provide())
  })

  it.effect("keeps the last good users while the file is missing, and takes it as soon as it is back", () => {
    const { file, lines, provide } = fake(`alice:${REALM}:${MD5}`)
    return Effect.gen(function*() {
      file.missing = true
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual(yield* find("alice"), { MD5 })
      assert.strictEqual(lines.length, 1)
      file.missing = false
      file.text = `bobby:${REALM}:${MD5}`
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* find("bobby"), { MD5 })
    }).pipe(provide())
  })

  it.effect("takes a file as soon as it may be read, though nothing else about it changes", () => {
    const { file, lines, provide, write } = fake(`alice:${REALM}:${MD5}`)
    return Effect.gen(function*() {
      file.denied = true
      write(`bob:${REALM}:${MD5}`)
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual(yield* find("alice"), { MD5 })
      assert.strictEqual(lines.length, 1)
      file.denied = false
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* find("bob"), { MD5 })
    }).pipe(provide())
  })

  it.effect("fails with a typed error when the file cannot be used at the start", () =>
    Effect.gen(function*() {
      const start = (text: string, options: Partial<FileOptions> = {}, changes: object = {}) => {
        const { file, provide } = fake(text)
        Object.assign(file, changes)
        return failure(Effect.void.pipe(provide(options)))
      }
      assert.strictEqual((yield* start("", {}, { missing: true })).reason, "Unreadable")
      // reading it would never end
      assert.strictEqual((yield* start("", {}, { type: "FIFO" })).reason, "Unreadable")
      assert.strictEqual((yield* start("#".repeat(11), { maxOctets: 10 })).reason, "TooLarge")
      assert.strictEqual((yield* start("#".repeat(16 * 1024 * 1024 + 1))).reason, "TooLarge")
      const malformed = yield* start(`alice:${REALM}:Wonderland-42`)
      assert.strictEqual(malformed.reason, "Malformed")
      assert.deepStrictEqual(malformed.problems.map((one) => one.line), [1])
      assert.notInclude(malformed.message, "Wonderland")
    }))

  it.live("reads a real file again", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const directory = yield* fs.makeTempDirectoryScoped()
      const path = `${directory}/users`
      assert.strictEqual(
        (yield* failure(Effect.provide(Effect.void, layerFile({ path: directory })))).reason,
        "Unreadable"
      )
      yield* fs.writeFileString(path, `alice:${REALM}:${MD5}\n`)
      yield* Effect.gen(function*() {
        assert.deepStrictEqual(yield* find("alice"), { MD5 })
        yield* fs.writeFileString(path, `bob:${REALM}:${SHA}\n`)
        assert.deepStrictEqual(yield* Effect.repeat(find("bob"), { until: (one) => one !== undefined }), {
          "SHA-256": SHA
        })
        assert.isUndefined(yield* find("alice"))
      }).pipe(Effect.provide(layerFile({ path, checkInterval: "5 millis" })))
    }).pipe(Effect.provide(NodeFileSystem.layer), Effect.provide(Logger.layer([]))))
})
