/** What a reload takes over, what it does not, and that it is all or nothing. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as TestClock from "effect/testing/TestClock"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { LiveLevel, LogLevels } from "../../src/logging/LogLevels.ts"
import type { LiveUsers } from "../../src/service/Backend.ts"
import { type LiveSettings, liveWith, makeLive } from "../../src/service/LiveSettings.ts"
import { Reload } from "../../src/service/Reload.ts"
import { type CredentialsSettings, Settings, type SettingsShape, settingsTable } from "../../src/service/Settings.ts"
import { followTls } from "../../src/service/settings/FollowTls.ts"
import { temporaryDirectory } from "../support/directory.ts"
import { expired, localhost, relay as pair, selfSigned } from "../support/pki.ts"
import { disk, type Env, parse, users } from "./settings/environment.ts"
import { cases } from "./settings/good.ts"

/** An environment that can change, which that of a process cannot. */
const changing = (first: Env) => {
  let current = ConfigProvider.fromEnvRecord({ ...first })
  return {
    // It takes its time, as files do: others have their turn meanwhile.
    provider: ConfigProvider.make((path) => Effect.andThen(Effect.yieldNow, Effect.suspend(() => current.load(path)))),
    set: (env: Env) => {
      current = ConfigProvider.fromEnvRecord({ ...env })
    }
  }
}

/** What the layers have now. */
const inForce = (live: LiveSettings, level: LiveLevel): SettingsShape => ({
  ...live.settings,
  relay: live.relay.value as SettingsShape["relay"],
  digest: live.digest.value,
  transport: live.transport.value,
  resolver: live.resolver.value,
  socketRules: live.socketRules.value,
  log: { ...live.settings.log, level: level.level }
})

/** A service that reloads, without a relay, whose users are only noted. */
const service = Effect.fnUntraced(function*(env: Env) {
  const settings = yield* parse(env)
  const environment = changing(env)
  const level = new LiveLevel(settings.log.level)
  const opened: Array<CredentialsSettings> = []
  const noted: LiveUsers = {
    credentials: { algorithms: [], lookup: () => Effect.succeed(Option.none()), size: () => 1 },
    backends: () => [],
    open: (credentials) => Effect.succeed(Effect.sync(() => void opened.push(credentials)))
  }
  const log: Array<string> = []
  const logger = Logger.make<unknown, void>((entry) => void log.push(Logger.formatLogFmt.log(entry)))
  const tls = yield* followTls({ files: settings.tlsFiles, uris: settings.relay.uris, first: settings.tls })
  const live = liveWith(settings, { users: noted, tls })
  const context = yield* Layer.build(
    Reload.layer(live).pipe(Layer.provide([
      ConfigProvider.layer(environment.provider),
      Layer.succeed(LogLevels, level)
    ]))
  )
  const reload = Effect.flatMap(Reload, (one) => one.reload).pipe(
    Effect.provide(context),
    Effect.provide(Logger.layer([logger]))
  )
  return { live, level, log, opened, reload, set: environment.set, now: () => inForce(live, level) }
})

const SOURCES: ReadonlySet<string> = new Set([
  "MSRP_USERS",
  "MSRP_CREDENTIALS_FILE",
  "MSRP_SQL_URL",
  "MSRP_HTTP_URL",
  "MSRP_EPHEMERAL_SECRET"
])

const exampleOf = (name: string) => settingsTable.find(({ variable }) => variable === name)!.example

/** Variables of a start for which the value is a change. */
const startFor = Effect.fnUntraced(function*(variable: string, beside: Env) {
  if (SOURCES.has(variable)) return { ...beside, [variable]: exampleOf(variable) }
  const pem = { MSRP_TLS_CERT: exampleOf("MSRP_TLS_CERT"), MSRP_TLS_KEY: exampleOf("MSRP_TLS_KEY") }
  const without = { [variable]: undefined }
  const others = "MSRP_USERS" in beside ? users : { MSRP_CREDENTIALS_FILE: "/users" }
  const starts: ReadonlyArray<Env> = [
    { ...beside, ...without },
    { ...users, ...beside, ...without },
    { ...users, ...beside, ...pem },
    { ...beside, ...others, ...without }
  ]
  for (const start of starts) {
    const parsed = yield* Effect.result(parse(start))
    if (Result.isSuccess(parsed) && parsed.success.demo === undefined) return start
  }
  return yield* Effect.die(`no start for ${variable}`)
})

describe("every variable", () => {
  const all = settingsTable.flatMap(({ reload, variable }) =>
    cases[variable]!.map(({ beside, is, of, value }) => ({ variable, reload, beside, is, of, value }))
  )
  const live = all.filter(({ reload }) => reload === "live")
  it.effect.each(live)(
    "$variable=$value counts after a reload",
    ({ beside = {}, is, of, value, variable }) =>
      Effect.gen(function*() {
        const start = yield* startFor(variable, beside)
        const { now, opened, reload, set } = yield* service(start)
        set({ ...start, ...beside, [variable]: value })
        const { changed, problems, restart } = yield* reload
        assert.deepStrictEqual(problems, [])
        assert.deepStrictEqual(restart, [])
        // The default may be the same, and is no change; what belongs together may have to change together.
        for (const one of changed) assert.isTrue(one === variable || one in beside, one)
        assert.deepStrictEqual(of(now()), is)
        if (opened.length > 0) assert.deepStrictEqual(of({ ...now(), credentials: opened.at(-1)! }), is)
      }).pipe(Effect.provide(disk))
  )

  it("is one or the other, and each that is live is seen to change", () => {
    assert.deepStrictEqual(
      settingsTable.filter(({ reload }) => reload === "restart").map(({ variable }) => variable),
      [
        "MSRP_URIS",
        "MSRP_USE_PATH",
        "MSRP_LISTEN",
        "MSRP_CREDENTIALS",
        "MSRP_AUTH_REALM",
        "MSRP_HASH_SIZE",
        "MSRP_DEMO",
        "MSRP_LOG_FORMAT",
        "MSRP_HEP",
        "MSRP_HEP_USERS",
        "MSRP_HEP_ID",
        "MSRP_HEP_KEY",
        "MSRP_ENV_FILE",
        "MSRP_ADMIN",
        "MSRP_ADMIN_TOKEN_FILE"
      ]
    )
  })

  const others: ReadonlyArray<readonly [string, string]> = [
    ["MSRP_URIS", "msrp://127.0.0.1:7;tcp"],
    ["MSRP_LISTEN", "msrp:127.0.0.1:7"],
    ["MSRP_LISTEN", "msrp:127.0.0.1:2855,ws:127.0.0.1:8/msrp"],
    ["MSRP_USE_PATH", "msrp://one.example.com;tcp"],
    ["MSRP_AUTH_REALM", "other.example"],
    ["MSRP_HASH_SIZE", "3"],
    ["MSRP_LOG_FORMAT", "json"]
  ]
  it.effect.each(others)("%s stays as it is, and is named", ([variable, value]) =>
    Effect.gen(function*() {
      const start = { ...users, MSRP_URIS: "msrp://127.0.0.1:2855;tcp" }
      const { log, now, reload, set } = yield* service(start)
      const before = now()
      set({ ...start, [variable]: value, MSRP_MAX_SESSIONS: "9" })
      for (let i = 0; i < 2; i++) {
        const { changed, restart } = yield* reload
        assert.deepStrictEqual(restart, [variable])
        assert.deepStrictEqual(changed, i === 0 ? ["MSRP_MAX_SESSIONS"] : [])
        const { log: lines, relay } = now()
        const sessions = { ...before.relay.sessions, maxSessions: 9 }
        assert.deepStrictEqual([relay, lines], [{ ...before.relay, sessions }, before.log])
      }
      assert.isTrue(log.some((line) => line.includes(`${variable} has changed: it takes effect at the next start`)))
    }).pipe(Effect.provide(disk)))
})

describe("a reload", () => {
  it.effect("says the same in other words: nothing has changed", () =>
    Effect.gen(function*() {
      const { log, reload, set } = yield* service({
        ...users,
        MSRP_NONCE_EXPIRE: "60",
        MSRP_URIS: "msrp://localhost;tcp"
      })
      set({ ...users, MSRP_NONCE_EXPIRE: "1 minute", MSRP_URIS: "msrp://localhost:2855;TCP", MSRP_MAX_DIALS: "32" })
      assert.deepInclude(yield* reload, { changed: [], restart: [], problems: [] })
      assert.match(log.join("\n"), /level=INFO .*message=reloaded .*settings="as before" certificates=0 users=1/)
    }).pipe(Effect.provide(disk)))

  it.effect("with anything wrong changes nothing, and tells all of it as an error, without secrets", () =>
    Effect.gen(function*() {
      const { level, log, now, opened, reload, set } = yield* service(users)
      const before = now()
      set({
        MSRP_USERS: "alice:other,bob:",
        MSRP_MAX_SESSIONS: "9",
        MSRP_LOG_LEVEL: "debug",
        MSRP_HASH_SIZE: "99",
        MSRP_TYPO: "1"
      })
      const { changed, problems } = yield* reload
      assert.deepStrictEqual(changed, [])
      assert.deepStrictEqual(problems.map(({ variable }) => variable), ["MSRP_USERS", "MSRP_HASH_SIZE", "MSRP_TYPO"])
      assert.deepStrictEqual(now(), before)
      assert.deepStrictEqual(opened, [])
      assert.strictEqual(level.level, "Info")
      assert.lengthOf(log, 1)
      assert.match(log[0]!, /level=ERROR .*Nothing was reloaded.*3 problems.*MSRP_USERS.*MSRP_HASH_SIZE.*MSRP_TYPO/)
      assert.notInclude(log[0]!, "other")
      set({ ...users, MSRP_MAX_SESSIONS: "9" })
      assert.deepStrictEqual((yield* reload).changed, ["MSRP_MAX_SESSIONS"])
    }).pipe(Effect.provide(disk)))

  it.effect("another kind of source of users waits for the next start, with all that goes with it", () =>
    Effect.gen(function*() {
      const { now, opened, reload, set } = yield* service(users)
      set({ MSRP_HTTP_URL: "http://localhost", MSRP_CREDENTIALS_CACHE: "7", MSRP_MAX_DIALS: "9" })
      const { changed, restart } = yield* reload
      assert.deepStrictEqual(changed, ["MSRP_MAX_DIALS"])
      assert.sameMembers([...restart], ["MSRP_CREDENTIALS", "MSRP_USERS", "MSRP_HTTP_URL", "MSRP_CREDENTIALS_CACHE"])
      assert.deepStrictEqual(opened, [])
      assert.strictEqual(now().credentials._tag, "Memory")
    }).pipe(Effect.provide(disk)))

  it.effect("the demo user keeps his password", () =>
    Effect.gen(function*() {
      const { live, opened, reload, set } = yield* service({})
      const { demo } = live.settings
      set({ MSRP_MAX_DIALS: "9", MSRP_CREDENTIALS_CACHE: "7" })
      yield* reload
      assert.deepStrictEqual(opened, [])
      assert.strictEqual(live.settings.demo, demo)
    }).pipe(Effect.provide(disk)))

  it.effect("those that come at once are done one after the other", () =>
    Effect.gen(function*() {
      const { reload, set } = yield* service(users)
      set({ ...users, MSRP_MAX_SESSIONS: "9" })
      const all = yield* Effect.all(Array.from({ length: 3 }, () => reload), { concurrency: "unbounded" })
      assert.deepStrictEqual(all.map(({ changed }) => changed.length), [1, 0, 0])
    }).pipe(Effect.provide(disk)))
})

describe("the warnings of a reload", () => {
  const outside = { ...users, MSRP_URIS: "msrp://192.0.2.1:2855;tcp", MSRP_ALLOW_PLAINTEXT_AUTH: "1" }
  const closed = "Nobody can log in: no listener has TLS or is on loopback, and MSRP_ALLOW_PLAINTEXT_AUTH is not set"
  const logged = (log: ReadonlyArray<string>, warning: string) => log.filter((line) => line.includes(warning)).length

  it.effect("are all that hold, each time; the log has those that are new", () =>
    Effect.gen(function*() {
      const { log, reload, set } = yield* service(outside)
      assert.deepStrictEqual((yield* reload).warnings, [])
      set({ ...outside, MSRP_ALLOW_PLAINTEXT_AUTH: "0" })
      for (let i = 0; i < 2; i++) assert.deepStrictEqual((yield* reload).warnings, [closed])
      assert.strictEqual(logged(log, closed), 1)
      set({ ...outside, MSRP_ALLOW_PLAINTEXT_AUTH: "0", MSRP_TYPO: "1" })
      assert.deepStrictEqual((yield* reload).warnings, [])
      set(outside)
      assert.deepStrictEqual((yield* reload).warnings, [])
    }).pipe(Effect.provide(disk)))

  it.effect("say of a setting that needs a restart what will hold then", () =>
    Effect.gen(function*() {
      const { log, reload, set } = yield* service({ ...users, MSRP_URIS: "msrp://127.0.0.1:2855;tcp" })
      set({ ...users, MSRP_URIS: "msrp://192.0.2.1:2855;tcp", MSRP_HEP_KEY: "secret" })
      const unused = "MSRP_HEP_KEY is not used without MSRP_HEP"
      for (let i = 1; i <= 2; i++) {
        const { warnings } = yield* reload
        assert.deepStrictEqual(warnings, [`After a restart: ${closed}`, `After a restart: ${unused}`])
        assert.strictEqual(logged(log, `After a restart: ${closed}`), i)
      }
    }).pipe(Effect.provide(disk)))

  const limited = Layer.effect(
    FileSystem.FileSystem,
    Effect.map(FileSystem.FileSystem, (fs) => ({
      ...fs,
      readFileString: (path: string) =>
        path === "/proc/self/limits"
          ? Effect.succeed("Max open files            1024    4096    files\n")
          : fs.readFileString(path)
    }))
  ).pipe(Layer.provide(disk))

  it.effect("are also about limits of the system", () =>
    Effect.gen(function*() {
      const { log, reload, set } = yield* service({ ...users, MSRP_MAX_CONNECTIONS: "100" })
      assert.deepStrictEqual((yield* reload).warnings, [])
      set({ ...users, MSRP_MAX_CONNECTIONS: "2000" })
      const [one, ...more] = (yield* reload).warnings
      assert.match(one!, /^1024 files may be open at a time, and MSRP_MAX_CONNECTIONS=2000 may need/)
      assert.isEmpty(more)
      assert.strictEqual(logged(log, "1024 files may be open at a time"), 1)
    }).pipe(Effect.provide(limited)))

  it.effect("are also about the file of variables, whatever needs a restart", () =>
    Effect.gen(function*() {
      const path = join(yield* temporaryDirectory, "relay.env")
      const write = (...more: ReadonlyArray<string>) =>
        writeFileSync(path, ["MSRP_USERS=alice:wonderland", "MSRP_ENV_FILE=other", ...more].join("\n"))
      write()
      const provider = ConfigProvider.layer(ConfigProvider.fromEnvRecord({ MSRP_ENV_FILE: path }))
      const live = yield* makeLive(yield* Effect.provide(Settings.read, provider))
      const context = yield* Layer.build(Reload.layer(live).pipe(Layer.provide(provider)))
      const reload = Effect.flatMap(Reload, (one) => one.reload).pipe(Effect.provide(context))
      const itself = `MSRP_ENV_FILE in ${path} is not used: it belongs into the environment`
      assert.include((yield* reload).warnings, itself)
      write("MSRP_LOG_FORMAT=json")
      const { restart, warnings } = yield* reload
      assert.deepStrictEqual(restart, ["MSRP_LOG_FORMAT"])
      assert.include(warnings, itself)
      assert.isEmpty(warnings.filter((one) => one.startsWith("After a restart")))
    }).pipe(Effect.provide(NodeFileSystem.layer)))
})

describe("files that settings name", () => {
  const real = Effect.fnUntraced(function*(env: (path: (name: string) => string) => Env) {
    // Certificates have their time.
    yield* TestClock.setTime(Date.now())
    const directory = yield* temporaryDirectory
    const path = (name: string) => join(directory, name)
    const write = (name: string, text: string) => writeFileSync(path(name), text)
    write("users", "alice:example.org:wonderland\n")
    write("cert", localhost.cert)
    write("key", Redacted.value(localhost.key))
    const environment = changing(env(path))
    const provider = ConfigProvider.layer(environment.provider)
    const log: Array<string> = []
    const logger = Logger.make<unknown, void>((entry) => void log.push(Logger.formatLogFmt.log(entry)))
    const logging = Logger.layer([logger])
    const live = yield* makeLive(yield* Effect.provide(Settings.read, provider)).pipe(Effect.provide(logging))
    const context = yield* Layer.build(Reload.layer(live).pipe(Layer.provide(provider)))
    const reload = Effect.flatMap(Reload, (one) => one.reload).pipe(Effect.provide(context), Effect.provide(logging))
    const knows = (username: string) =>
      Effect.map(live.users.credentials.lookup({ username, realm: "example.org" }), Option.isSome)
    return { live, log, reload, knows, write, path, set: environment.set }
  })
  const file = (path: (name: string) => string): Env => ({
    MSRP_CREDENTIALS_FILE: path("users"),
    MSRP_CALCULATE_HA1: "1",
    MSRP_TLS_CERT: path("cert"),
    MSRP_TLS_KEY: path("key"),
    MSRP_URIS: "msrps://localhost;tcp"
  })

  it.effect("users and certificates are looked at at once, and counted", () =>
    Effect.gen(function*() {
      const { knows, live, log, reload, write } = yield* real(file)
      assert.isFalse(yield* knows("bob"))
      write("users", "alice:example.org:wonderland\nbob:example.org:builder\n")
      write("cert", pair.cert)
      write("key", Redacted.value(pair.key))
      assert.deepInclude(yield* reload, { users: 2, certificates: 1, newCertificates: true, changed: [] })
      assert.isTrue(yield* knows("bob"))
      assert.strictEqual((yield* SubscriptionRef.get(live.tls.tls)).cert, pair.cert)
      assert.isTrue(log.some((line) => /message=reloaded .*certificates=1 users=2/.test(line)))
    }).pipe(Effect.provide(NodeFileSystem.layer)))

  it.effect("a broken one of either keeps both, and every setting", () =>
    Effect.gen(function*() {
      const { knows, live, path, reload, set, write } = yield* real(file)
      const { cert } = yield* SubscriptionRef.get(live.tls.tls)
      set({ ...file(path), MSRP_MAX_SESSIONS: "9" })
      const kept = Effect.fnUntraced(function*(variable: string) {
        const { problems } = yield* reload
        assert.deepStrictEqual(problems.map((one) => one.variable), [variable])
        assert.isFalse(yield* knows("bob"))
        assert.strictEqual((yield* SubscriptionRef.get(live.tls.tls)).cert, cert)
        assert.strictEqual(live.relay.value.sessions?.maxSessions, 100_000)
      })
      write("users", "bob:example.org:builder\nbroken\n")
      yield* kept("MSRP_CREDENTIALS_FILE")
      write("users", "bob:example.org:builder\n")
      write("cert", "no PEM")
      yield* kept("MSRP_TLS_CERT")
      // Not wrong by itself, but worse than what is in force.
      write("cert", expired.cert)
      write("key", Redacted.value(expired.key))
      yield* kept("MSRP_TLS_CERT")
      write("cert", localhost.cert)
      write("key", Redacted.value(localhost.key))
      assert.deepStrictEqual((yield* reload).changed, ["MSRP_MAX_SESSIONS"])
      assert.isTrue(yield* knows("bob"))
    }).pipe(Effect.provide(NodeFileSystem.layer)))

  it.effect("a file without users is warned of", () =>
    Effect.gen(function*() {
      const { log, path, reload, write } = yield* real(file)
      const warning = `MSRP_CREDENTIALS_FILE has no users: nobody can log in (${path("users")})`
      assert.notInclude((yield* reload).warnings, warning)
      write("users", "# nobody\n")
      for (let i = 0; i < 2; i++) assert.include((yield* reload).warnings, warning)
      assert.lengthOf(log.filter((line) => line.includes(warning)), 1)
    }).pipe(Effect.provide(NodeFileSystem.layer)))

  it.effect("a new certificate that clients will refuse is warned of once", () =>
    Effect.gen(function*() {
      const { log, reload, write } = yield* real(file)
      write("cert", pair.cert)
      write("key", Redacted.value(pair.key))
      const warning = "The certificate is not for localhost: clients that use this URI will refuse it"
      assert.include((yield* reload).warnings, warning)
      assert.lengthOf(log.filter((line) => line.includes(warning)), 1)
    }).pipe(Effect.provide(NodeFileSystem.layer)))

  it.effect("paths may change: from a certificate made at start to one in a file, and back", () =>
    Effect.gen(function*() {
      const { live, path, reload, set, write } = yield* real(() => ({
        MSRP_USERS: "alice:wonderland",
        MSRP_URIS: "msrps://localhost;tcp"
      }))
      const shown = Effect.map(SubscriptionRef.get(live.tls.tls), ({ cert }) => cert)
      const made = yield* shown
      assert.isDefined(made)
      const start = { MSRP_USERS: "alice:wonderland", MSRP_URIS: "msrps://localhost;tcp" }
      assert.deepInclude(yield* reload, { newCertificates: false, problems: [] })
      assert.strictEqual(yield* shown, made)
      write("other", selfSigned.cert)
      write("other.key", Redacted.value(selfSigned.key))
      set({ ...start, MSRP_TLS_CERT: path("other"), MSRP_TLS_KEY: path("other.key") })
      assert.deepInclude(yield* reload, { newCertificates: true, changed: ["MSRP_TLS_CERT", "MSRP_TLS_KEY"] })
      assert.strictEqual(yield* shown, selfSigned.cert)
      set(start)
      yield* reload
      const again = yield* shown
      assert.isDefined(again)
      assert.notStrictEqual(again, selfSigned.cert)
    }).pipe(Effect.provide(NodeFileSystem.layer)))
})
