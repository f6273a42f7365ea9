/** The command line of the admin API, against the API itself: what is shown, what is said when it does not work, exit codes. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Command from "effect/cli/Command"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Redacted from "effect/Redacted"
import * as Runtime from "effect/Runtime"
import * as TestClock from "effect/testing/TestClock"
import * as TestConsole from "effect/testing/TestConsole"
import { createServer, type RequestListener } from "node:http"
import * as Admin from "../../../src/Admin.ts"
import { adminCommand } from "../../../src/service/admin/Commands.ts"
import { fakeParts } from "../../support/admin.ts"

const TOKEN = "correct-horse-battery"

/** What a command line says, and its exit code. */
const run = Effect.fnUntraced(function*(...args: ReadonlyArray<string>) {
  const before = (yield* TestConsole.logLines).length
  const result = yield* Effect.result(Command.runWith(adminCommand, { version: "0" })(args))
  const lines = (yield* TestConsole.logLines).slice(before).join("\n").split("\n")
  if (result._tag === "Success") return { code: 0, lines, error: "" }
  return { code: Runtime.getErrorExitCode(result.failure), lines, error: result.failure.message }
})

const env = (variables: Record<string, string>) =>
  Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromEnvRecord(variables))

/** The API on a Unix socket in a folder of its own, which the environment names. */
const withAdmin = <A, E, R>(
  parts: Parameters<typeof fakeParts>[0],
  token: Layer.Layer<Admin.AdminToken>,
  body: (folder: string) => Effect.Effect<A, E, R>
) =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const folder = yield* fs.makeTempDirectoryScoped()
    const path = `${folder}/admin.sock`
    yield* Layer.build(
      Admin.layer({ _tag: "Unix", path }).pipe(
        // Its log would be among what is shown.
        Layer.provide([Layer.succeed(Admin.AdminParts, fakeParts(parts)), token, Logger.layer([])])
      )
    )
    return yield* env({ MSRP_ADMIN: path })(body(folder))
  }).pipe(Effect.provide(NodeServices.layer))

describe("msrp-relay admin", () => {
  const open = Admin.AdminToken.layerNone

  it.effect("lists sessions and connections, a page of them, and says where the next one is", () =>
    withAdmin({ count: 1000 }, open, () =>
      Effect.gen(function*() {
        const { lines } = yield* run("sessions", "--user", "user8", "--limit", "3")
        assert.match(lines[0]!, /^SESSION +USER@REALM +REMOTE +AGE +LEFT +SENT +RECEIVED +FAILED$/)
        assert.match(lines[1]!, /^000000000008 {2}user8@example\.com {2}198\.51\.100\.8:10008 /)
        assert.strictEqual(lines.at(-1), "1 session")
        const page = yield* run("sessions", "--sort", "octets", "--limit", "5", "--offset", "10")
        assert.strictEqual(page.lines.length, 8)
        assert.strictEqual(page.lines.at(-1), "11 to 15 of 1,000 sessions; the next ones with --offset 15")
        const waiting = yield* run("connections", "--sort", "waiting", "--limit", "1")
        assert.match(waiting.lines[1]!, /2\.0 kB$/)
        assert.strictEqual((yield* run("sessions", "--sort", "waiting")).code, 1)
        const connections = yield* run("connections", "--address", "198.51.100.8")
        assert.match(
          connections.lines[0]!,
          /^NUMBER +USER@REALM +REMOTE +KIND +LISTENER +AGE +SESSIONS +IN +OUT +WAITING$/
        )
        assert.match(connections.lines[1]!, /^ +8 {2}user8@example\.com +198\.51\.100\.8:10008 /)
        assert.strictEqual(connections.lines.at(-1), "5 connections")
        assert.deepStrictEqual((yield* run("sessions", "--user", "nobody")).lines, ["No sessions"])
        const hint = " (names are without the realm: user7?)"
        const [whole, named] = ["user7@example.org", "--user"]
        assert.deepStrictEqual((yield* run("sessions", named, whole)).lines, [`No sessions${hint}`])
        assert.deepStrictEqual((yield* run("history", whole)).lines, [`Nothing is known of ${whole}${hint}`])
        assert.strictEqual((yield* run("kill", named, whole)).error, `${whole} has no session${hint}`)
        assert.deepStrictEqual((yield* run("history", "@user7")).lines, ["Nothing is known of @user7"])
        const beyond = yield* run("sessions", "--offset", "5000")
        assert.deepStrictEqual(beyond.lines, ["No more sessions: there are 1,000"])
      })))

  it.effect("finds the API by the file of variables that the relay reads", () =>
    withAdmin({ count: 3 }, open, (folder) =>
      Effect.gen(function*() {
        const fs = yield* FileSystem.FileSystem
        const path = `${folder}/relay.env`
        yield* fs.writeFileString(path, `MSRP_ADMIN=${folder}/admin.sock\n`)
        const { code, error } = yield* env({ MSRP_ENV_FILE: path })(run("status"))
        assert.deepStrictEqual({ code, error }, { code: 0, error: "" })
        const missing = yield* env({ MSRP_ENV_FILE: `${path}.not` })(run("status"))
        assert.strictEqual(missing.code, 2)
        assert.include(missing.error, `${path}.not`)
      })))

  it.effect("has JSON for machines", () =>
    withAdmin({ count: 3 }, open, () =>
      Effect.gen(function*() {
        const { lines } = yield* run("sessions", "--limit", "1", "--json")
        assert.strictEqual(lines.length, 1)
        const { items, total } = JSON.parse(lines[0]!)
        assert.deepStrictEqual([total, items.length, items[0].session], [3, 1, "000000000000"])
        assert.strictEqual(JSON.parse((yield* run("status", "--json")).lines[0]!).phase, "serving")
      })))

  it.effect("says that users cannot be queried or read, and that the relay is ready", () => {
    const [since, last] = [1_790_000_000_000, 1_790_036_060_000]
    const users = () => [
      { backend: "sql", unavailable: { since, last, reason: "it is locked" } },
      { backend: "file", outdated: { since: last, reason: "it is wrong in line 3" } },
      { backend: "file", unserved: "2 lines for realms whose users are not looked up there" },
      { backend: "memory" }
    ]
    return withAdmin({ users }, open, () =>
      Effect.gen(function*() {
        const { lines } = yield* run("status")
        assert.deepStrictEqual(lines.map((line) => line.trim()).filter((line) => line.startsWith("users")), [
          "users        cannot be queried since 2026-09-21 14:13:20, last tried 2026-09-22 00:14:20: it is locked",
          "users        not read since 2026-09-22 00:14:20, those from before stay: it is wrong in line 3",
          "users        none in file can log in: it has 2 lines for realms whose users are not looked up there"
        ])
        assert.deepInclude(JSON.parse((yield* run("status", "--json")).lines[0]!), { users: users() })
      }))
  })

  it.effect("says why it is not ready for new clients, as /readyz does, and nothing of it if it is", () => {
    const status = (connections: number) =>
      withAdmin({ limits: { connections, sessions: 10 } }, open, () =>
        Effect.map(
          run("status"),
          ({ lines }) => lines.map((line) => line.trim()).filter((line) => line.startsWith("not ready"))
        ))
    return Effect.gen(function*() {
      assert.deepStrictEqual(
        yield* status(10),
        ["not ready    there are 10 connections, which is the limit; there are 10 sessions, which is the limit"]
      )
      assert.deepStrictEqual(yield* status(11), ["not ready    there are 10 sessions, which is the limit"])
      const ready = yield* withAdmin({}, open, () => run("status"))
      assert.notMatch(ready.lines.join("\n"), /not ready/)
    })
  })

  it.effect("says how many lines of the log were lost, if any were", () => {
    const status = (lost: number) =>
      withAdmin({ logLinesLost: () => lost }, open, () =>
        Effect.gen(function*() {
          const { lines } = yield* run("status")
          assert.deepInclude(JSON.parse((yield* run("status", "--json")).lines[0]!), { logLinesLost: lost })
          return lines.map((line) => line.trim()).filter((line) => line.startsWith("log"))
        }))
    return Effect.gen(function*() {
      assert.deepStrictEqual(yield* status(0), [])
      const why = "since the start: disk full, or nobody reads"
      assert.deepStrictEqual(yield* status(1), [`log          1 line lost ${why}`])
      assert.deepStrictEqual(yield* status(12_345), [`log          12,345 lines lost ${why}`])
    })
  })

  it.effect("says until when certificates are good: the first that ends, and whether it has", () => {
    const day = (date: number) => ({ names: [`relay${date}.example.com`], notAfter: Date.UTC(2026, 8, date) })
    const status = (certificates: ReadonlyArray<ReturnType<typeof day>>) =>
      withAdmin({ certificates: () => certificates }, open, () =>
        Effect.gen(function*() {
          const { lines } = yield* run("status")
          assert.deepInclude(JSON.parse((yield* run("status", "--json")).lines[0]!), { certificates })
          return lines.map((line) => line.trim()).filter((line) => line.startsWith("certificate"))
        }))
    return Effect.gen(function*() {
      yield* TestClock.setTime(Date.UTC(2026, 8, 21))
      assert.deepStrictEqual(yield* status([]), [])
      assert.deepStrictEqual(yield* status([day(29), day(24)]), [
        "certificate  of relay24.example.com ends on 2026-09-24 00:00:00, in 3d00h"
      ])
      assert.deepStrictEqual(yield* status([day(29), day(21), day(20)]), [
        "certificate  of relay20.example.com EXPIRED on 2026-09-20 00:00:00: clients refuse it"
      ])
    })
  })

  it.effect("shows what goes on, and what happened", () =>
    withAdmin({ count: 1000 }, open, (folder) =>
      Effect.gen(function*() {
        const status = yield* run("status")
        assert.strictEqual(status.lines[0], `msrp-relay 0.1.0 at ${folder}/admin.sock`)
        assert.include(status.lines[1], "serving since 2026-09-21 14:13:20")
        assert.include(status.lines.join("\n"), "connections  1,000 of 100,000")
        assert.strictEqual(status.lines.at(-1)!.trim(), "0 logins, 0 failed, 0 undecided")
        assert.notInclude(status.lines.join("\n"), "users")
        const history = yield* run("history", "user7")
        assert.strictEqual(
          history.lines[0],
          "2026-09-21 14:13:27  WARN login failed  session=000000000007  user=user7  realm=example.com  reason=expired"
        )
        assert.deepStrictEqual((yield* run("history", "nobody")).lines, ["Nothing is known of nobody"])
        assert.strictEqual((yield* run("recent")).lines.length, 3)
      })))

  it.effect("ends what it is told to, and nothing else", () =>
    withAdmin({ count: 5000 }, open, () =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* run("kill", "--session", "000000000003"), {
          code: 0,
          lines: ["Session 000000000003 has ended"],
          error: ""
        })
        const again = yield* run("kill", "--session", "000000000003")
        assert.deepStrictEqual([again.code, again.error], [1, "There is no session 000000000003"])
        assert.deepStrictEqual((yield* run("kill", "--connection", "7")).lines, ["Connection 7 is closed"])
        assert.deepStrictEqual(
          (yield* run("kill", "--user", "user8", "--realm", "example.com")).lines,
          ["5 sessions of user8 ended"]
        )
        const nobody = yield* run("kill", "--user", "user8")
        assert.deepStrictEqual([nobody.code, nobody.error], [1, "user8 has no session"])
        for (const args of [[], ["--session", "000000000004", "--user", "x"], ["--connection", "1", "--realm", "x"]]) {
          assert.strictEqual((yield* run("kill", ...args)).code, 1)
        }
        assert.strictEqual((yield* run("sessions", "--limit", "1")).lines.at(-1)?.split(" ")[4], "4,994")
      })))

  it.effect("says that a drain cannot be undone when the relay ends", () =>
    withAdmin(
      { count: 1, undrain: Effect.succeed({ phase: "draining", since: 0 }) },
      open,
      () =>
        Effect.gen(function*() {
          const { code, error, lines } = yield* run("undrain")
          assert.deepStrictEqual([code, error], [
            1,
            "The relay is draining because it is about to end; this cannot be undone"
          ])
          assert.notInclude(lines.join("\n"), "granted")
        })
    ))

  it.effect("drains, changes the log level, reads the settings again", () =>
    withAdmin({}, open, () =>
      Effect.gen(function*() {
        assert.include((yield* run("drain")).lines[0], "The relay is draining")
        assert.include((yield* run("undrain")).lines[0], "The relay is serving")
        assert.deepStrictEqual((yield* run("loglevel")).lines, ["info"])
        yield* run("loglevel", "debug")
        assert.deepStrictEqual((yield* run("loglevel")).lines, ["debug"])
        assert.deepStrictEqual((yield* run("reload")).lines, [
          "In force now: MSRP_USERS",
          "Changed, and in force after a restart: MSRP_LISTEN",
          "Warnings:",
          "  MSRP_LISTEN is odd"
        ])
      })))

  it.effect("says what a reload has read where the settings are as before, as with a new certificate", () =>
    withAdmin(
      { reload: Effect.succeed({ changed: [], needsRestart: [], problems: [] }) },
      open,
      () =>
        Effect.gen(function*() {
          assert.deepStrictEqual((yield* run("reload")).lines, [
            "The settings are as before; users and certificates were read again"
          ])
        })
    ))

  it.effect("fails when the settings are wrong, and with what is wrong", () =>
    withAdmin(
      {
        reload: Effect.succeed({
          changed: [],
          needsRestart: [],
          problems: [{ setting: "MSRP_USERS", problem: "is odd" }]
        }),
        drain: Effect.fail(Admin.notAvailable("draining"))
      },
      open,
      () =>
        Effect.gen(function*() {
          const { code, lines } = yield* run("reload")
          assert.strictEqual(code, 1)
          assert.deepStrictEqual(lines, ["Nothing was reloaded, because there are problems:", "  MSRP_USERS: is odd"])
          const drain = yield* run("drain")
          assert.deepStrictEqual([drain.code, drain.error], [1, "This relay runs without draining"])
        })
    ))

  it.effect("shows its token from a file, and says when it is not the one", () =>
    withAdmin({}, Admin.AdminToken.layer(Redacted.make(TOKEN)), (folder) =>
      Effect.gen(function*() {
        const fs = yield* FileSystem.FileSystem
        const write = (name: string, text: string) =>
          Effect.as(fs.writeFileString(`${folder}/${name}`, text), `${folder}/${name}`)
        const [good, other, short] = [
          yield* write("good", `${TOKEN}\n`),
          yield* write("other", "0123456789abcdef"),
          yield* write("short", "x")
        ]
        assert.strictEqual((yield* run("status", "--token-file", good)).code, 0)
        const problems = {
          "none was given": yield* run("status"),
          "this is not the one": yield* run("status", "--token-file", other),
          "needs a token of at least 16 characters": yield* run("status", "--token-file", short),
          "there is no such file": yield* run("status", "--token-file", `${folder}/missing`)
        }
        for (const [problem, { code, error }] of Object.entries(problems)) {
          assert.strictEqual(code, 2)
          assert.include(error, problem)
          assert.notInclude(error, "0123456789abcdef")
        }
      })))

  it.effect("says why a relay cannot be asked: no address, nobody there, or something else", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const path = `${yield* fs.makeTempDirectoryScoped()}/other.sock`
      const answers: ReadonlyArray<RequestListener> = [
        (_, response) => response.writeHead(404).end(),
        (_, response) => response.writeHead(500).end("x"),
        (_, response) => response.writeHead(200, { "content-type": "application/json" }).end("{\"phase\":\"serving\"}"),
        (_, response) => response.writeHead(200, { "content-type": "text/html" }).end("<html>")
      ]
      for (const answer of answers) {
        yield* Effect.scoped(Effect.gen(function*() {
          const server = createServer(answer)
          yield* Effect.acquireRelease(
            Effect.callback<void>((resume) => void server.listen(path, () => resume(Effect.void))),
            () =>
              Effect.callback<void>((resume) => {
                server.closeAllConnections()
                server.close(() => resume(Effect.void))
              })
          )
          const { code, error } = yield* run("status", "--admin", path)
          assert.strictEqual(code, 2)
          assert.include(error, "does not know this request")
        }))
      }
      const gone = yield* run("status", "--admin", path)
      assert.deepStrictEqual([gone.code, gone.error], [2, `${path} cannot be reached: there is no such file (ENOENT)`])
      const nowhere = yield* run("status")
      assert.deepStrictEqual([nowhere.code, nowhere.error.startsWith("Where is the admin API?")], [2, true])
      const odd = yield* run("status", "--admin", "somewhere")
      assert.strictEqual(odd.code, 2)
      assert.include(odd.error, "somewhere is not an address")
    }).pipe(env({}), Effect.provide(NodeServices.layer)))
})
