/** What is published, installed in an empty project: what comes with it, and that programs compile against it and run. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { createHmac } from "node:crypto"
import { cpSync, existsSync, globSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { afterAll, beforeAll, describe, it, vi } from "vitest"
import * as Client from "../../src/Client.ts"
import { Codec } from "../../src/Codec.ts"
import { Transport } from "../../src/Transport.ts"
import { eventually, freePort } from "../support/service.ts"
import { pack, Project, root, temporary } from "./project.ts"

// Installing and compiling take long on a machine that does much else.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 300_000 })

const folder = temporary()
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let tarball: string
let project: Project
beforeAll(() => {
  tarball = pack(folder)
  project = new Project(join(folder, "project"))
  project.install(tarball)
})

/** The packages that are installed, but for those that are part of others. */
const installed = (): ReadonlyArray<string> =>
  globSync(["node_modules/[!@.]*", "node_modules/@*/*"], { cwd: project.folder })
    .map((path) => path.slice("node_modules/".length)).sort()

describe("the library alone", () => {
  it("comes with Effect and what is small", () => {
    assert.deepStrictEqual(installed(), [
      "@leichtgewicht/ip-codec",
      "@noble/hashes",
      "dns-packet",
      "effect",
      "msrp-relay"
    ])
  })

  it("has the command, which runs with what it brings", () => {
    const { status, stderr, stdout } = project.run("msrp-relay", ["--version"])
    const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { readonly version: string }
    assert.deepStrictEqual({ status, stderr, stdout }, { status: 0, stderr: "", stdout: `msrp-relay v${version}\n` })
  })

  it("lists what is in the command, with versions and licences", () => {
    const text = readFileSync(join(project.folder, "node_modules/msrp-relay/dist/service/LICENSES.txt"), "utf8")
    for (const name of ["effect", "@effect/platform-node", "@effect/sql-pg", "mysql2"]) {
      const manifest = readFileSync(join(root, "node_modules", name, "package.json"), "utf8")
      const { version } = JSON.parse(manifest) as { readonly version: string }
      assert.include(text, `${name} ${version}\n\n`)
    }
    assert.match(text, /Permission is hereby granted/)
  })

  it("serves at once, over TLS and with users of a database too", async () => {
    const [port, tlsPort] = [await freePort(), await freePort()]
    const file = join(project.folder, "users.db")
    const database = new DatabaseSync(file)
    database.exec(`CREATE TABLE subscriber (username TEXT, domain TEXT, ha1 TEXT);
      INSERT INTO subscriber VALUES ('alice', 'localhost', '${"0".repeat(32)}')`)
    database.close()
    const env = {
      MSRP_URIS: `msrp://localhost:${port};tcp,msrps://localhost:${tlsPort};tcp`,
      MSRP_SQL_URL: `sqlite:${file}`
    }
    const command = join(project.folder, "node_modules/msrp-relay/dist/service/bin.js")
    const answer = await project.serving(
      { args: [command], env, ports: [port, tlsPort] },
      () =>
        Promise.resolve(project.run(
          "msrp-relay",
          `probe --relay msrps://localhost:${tlsPort} --user alice --password wonderland --insecure`.split(" ")
        ))
    )
    // The database was asked, and knows another password.
    assert.strictEqual(answer.status, 1)
    assert.match(answer.stdout + answer.stderr, /401/)
  })

  it("says what is missing where a program needs more", () => {
    const { stdout } = project.module(`
      import * as Effect from "effect/Effect"
      import * as Layer from "effect/Layer"
      import { AdminParts, AdminToken, layer } from "msrp-relay/Admin"
      const parts = Layer.succeed(AdminParts, {})
      const token = Layer.succeed(AdminToken, undefined)
      const admin = layer({ _tag: "Tcp", host: "127.0.0.1", port: 0 }).pipe(Layer.provide([parts, token]))
      console.log(await Effect.runPromise(Effect.flip(Effect.scoped(Layer.build(admin)))).then(({ message }) => message))
    `)
    assert.match(stdout, /: @effect\/platform-node is not installed: npm install @effect\/platform-node\n$/)
  })

  it("exports the public modules and nothing else", () => {
    const { stderr } = project.module(`await import("msrp-relay/relay/Switchboard")`)
    assert.match(stderr, /ERR_PACKAGE_PATH_NOT_EXPORTED/)
  })

  it("leads to its sources, from its types and from what runs", () => {
    const dist = join(project.folder, "node_modules/msrp-relay/dist")
    const maps = globSync("**/*.map", { cwd: dist })
    assert.isTrue(maps.includes("Relay.d.ts.map") && maps.includes("Relay.js.map"))
    const lost = maps.filter((map) => {
      const { sources } = JSON.parse(readFileSync(join(dist, map), "utf8")) as {
        readonly sources: ReadonlyArray<string>
      }
      return sources.some((source) => !existsSync(join(dist, map, "..", source)))
    })
    assert.deepStrictEqual(lost, [])
  })

  it("has the reference of each module, made of the sources", () => {
    const api = join(project.folder, "node_modules/msrp-relay/docs/api")
    const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { readonly exports: object }
    const modules = Object.keys(exports).filter((path) => path !== "." && !/\.js(?:on)?$/.test(path))
    assert.includeMembers(
      readdirSync(api, { recursive: true }) as Array<string>,
      modules.map((path) => `${path.slice(2)}.md`)
    )
    assert.include(
      readFileSync(join(api, "Relay.md"), "utf8"),
      "An MSRP relay (RFC 4976), which runs while its layer lives."
    )
    // What only the package as a whole exports.
    assert.match(readFileSync(join(api, "index.md"), "utf8"), /### parseUri\(\)[^]*### layerRemovedUsers\(\)/)
  })

  it("says so when the program has another copy of Effect", () => {
    const modules = join(project.folder, "node_modules")
    const other = join(modules, "msrp-relay/node_modules/effect")
    cpSync(join(modules, "effect/package.json"), join(other, "package.json"))
    cpSync(join(modules, "effect/dist"), join(other, "dist"), { recursive: true })
    const { stderr } = project.module(`
      import * as Effect from "effect/Effect"
      import * as Layer from "effect/Layer"
      import { Transport } from "msrp-relay"
      await Effect.runPromise(Effect.scoped(Layer.build(Transport.layerNode())))
    `)
    rmSync(join(modules, "msrp-relay/node_modules"), { recursive: true })
    assert.match(
      stderr,
      /OtherEffect: This program runs with another copy of "effect" than msrp-relay does, which uses file:/
    )
  })
})

it("publint and attw find nothing", () => {
  // What publint suggests in place of the field `browser` would take the modules from programs that are bundled for browsers.
  const publint = ["publint", tarball, "--level", "warning"] as const
  for (const command of [publint, ["attw", tarball, "--profile", "esm-only"]] as const) {
    const [name, ...args] = command
    const { status, stdout } = project.run(process.execPath, [join(root, "node_modules/.bin", name), ...args], root)
    assert.strictEqual(status, 0, stdout)
    assert.notMatch(stdout, /warning|suggestion/i)
  }
})

describe("programs", () => {
  const versions = (JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")) as {
    readonly packages: Readonly<Record<string, { readonly version: string }>>
  }).packages
  const asHere = (name: string): string => `${name}@${versions[`node_modules/${name}`]!.version}`

  beforeAll(() => {
    project.install(...["@effect/platform-node", "@effect/vitest", "@types/node", "vitest"].map(asHere))
    const examples = join(project.folder, "node_modules/msrp-relay/examples")
    for (const name of readdirSync(examples).filter((one) => one.endsWith(".ts"))) {
      cpSync(join(examples, name), join(project.folder, name))
    }
  })

  it.each([["nodenext", "nodenext"], ["bundler", "esnext"]])(
    "compile with %s, types of libraries checked",
    (moduleResolution, module) => {
      const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { readonly exports: object }
      const names = Object.keys(exports).filter((path) => path !== "./package.json")
      project.write("all.ts", names.map((path, i) => `export * as M${i} from "msrp-relay${path.slice(1)}"\n`).join(""))
      const compilerOptions = {
        target: "es2024",
        module,
        moduleResolution,
        types: ["node"],
        noEmit: true,
        strict: true,
        exactOptionalPropertyTypes: true,
        skipLibCheck: false
      }
      project.write("tsconfig.json", JSON.stringify({ compilerOptions, include: ["*.ts"] }))
      const { status, stdout } = project.run(join(root, "node_modules/.bin/tsc"), [])
      assert.deepStrictEqual({ status, stdout }, { status: 0, stdout: "" })
    }
  )

  /** Logs in; gives what is asked of the client then. */
  const asClient = <A, E>(port: number, use: (client: Client.Client) => Effect.Effect<A, E>): Promise<A> =>
    Effect.gen(function*() {
      const client = yield* Client.connect({ scheme: "msrp", host: "localhost", port })
      return yield* use(client)
    }).pipe(
      Effect.scoped,
      Effect.provide(Layer.merge(Transport.layerNode(), Codec.layer)),
      Effect.runPromise
    )

  it("relay beside an HTTP server: it tells what goes on", async () => {
    const [port, http] = [await freePort(), await freePort()]
    const env = { PORT: String(port), HTTP_PORT: String(http) }
    await project.serving(
      { args: ["beside-http.ts"], env, ports: [port, http] },
      () =>
        asClient(port, (client) =>
          Effect.gen(function*() {
            yield* client.auth({ relay: `msrp://localhost:${port};tcp`, username: "alice", password: "wonderland" })
            const get = (path: string) => Effect.promise(() => fetch(`http://localhost:${http}${path}`))
            const page = yield* get("/metrics")
            assert.strictEqual(page.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8")
            assert.match(yield* Effect.promise(() => page.text()), /^msrp_relay_sessions 1$/m)
            const state = (yield* Effect.promise(async () =>
              (await get("/state").pipe(Effect.runPromise)).json()
            )) as object
            assert.include(state, { phase: "serving", sessions: 1 })
          }))
    )
  })

  it("relay with the admin API: it says who is there, and has what the program has", async () => {
    const [port, admin] = [await freePort(), await freePort()]
    const env = { PORT: String(port), ADMIN_PORT: String(admin) }
    const get = (path: string) => Effect.promise(() => fetch(`http://localhost:${admin}${path}`))
    const json = (path: string) => Effect.flatMap(get(path), (answer) => Effect.promise(() => answer.json()))
    await project.serving(
      { args: ["with-admin.ts"], env, ports: [port, admin] },
      () =>
        asClient(port, (client) =>
          Effect.gen(function*() {
            yield* client.auth({ relay: `msrp://localhost:${port};tcp`, username: "alice", password: "wonderland" })
            assert.include(yield* json("/version"), { version: "own 1.0" })
            assert.include(yield* json("/sessions"), { total: 1 })
            assert.include(yield* json("/status"), { version: "own 1.0" })
            assert.match(
              yield* Effect.flatMap(get("/"), (page) => Effect.promise(() => page.text())),
              /^<!doctype html>/
            )
            assert.strictEqual((yield* get("/metrics")).status, 200)
            assert.strictEqual((yield* get("/loglevel")).status, 501)
          }))
    )
  })

  it("sessions in SQLite: those who are online are in its file", async () => {
    const port = await freePort()
    const file = join(project.folder, "sessions.db")
    const online = (): ReadonlyArray<unknown> => {
      using database = new DatabaseSync(file, { readOnly: true })
      return database.prepare("SELECT entry ->> 'username' AS name FROM sessions").all().map(({ name }) => name)
    }
    await project.serving(
      { args: ["own-session-repository.ts", file], env: { PORT: String(port) }, ports: [port] },
      () =>
        asClient(port, (client) =>
          Effect.gen(function*() {
            assert.deepStrictEqual(online(), [])
            yield* client.auth({ relay: `msrp://localhost:${port};tcp`, username: "alice", password: "wonderland" })
            assert.deepStrictEqual(online(), ["alice"])
          }))
    )
    // The relay has ended, and its sessions with it.
    assert.deepStrictEqual(online(), [])
  })

  it("own users with the environment's settings: they log in", async () => {
    const port = await freePort()
    const env = { MSRP_LISTEN: `msrp:localhost:${port}`, MSRP_AUTH_EXPIRES: "77" }
    await project.serving(
      { args: ["own-credentials.ts"], env, ports: [port] },
      () =>
        asClient(port, (client) =>
          Effect.gen(function*() {
            const relay = `msrp://localhost:${port};tcp`
            const grant = yield* client.auth({ relay, username: "guest-anna", password: "welcome, guest-anna" })
            assert.strictEqual(grant.expires, 77)
            const error = yield* Effect.flip(client.auth({ relay, username: "anna", password: "welcome, anna" }))
            assert.strictEqual(error.status, 401)
          }))
    )
  })

  it("own authenticator: a token is enough, and ends the session with it", async () => {
    const port = await freePort()
    const key = "of both"
    const tokenOf = (user: string, expires: number, signedWith = key): string => {
      const what = `${Buffer.from(user).toString("base64url")}.${expires}`
      return `${what}.${createHmac("sha256", signedWith).update(what).digest("base64url")}`
    }
    const inAnHour = Math.floor(Date.now() / 1000) + 3600
    const env = { MSRP_LISTEN: `msrp:localhost:${port}`, TOKEN_KEY: key }
    await project.serving(
      { args: ["bearer-tokens.ts"], env, ports: [port] },
      () =>
        asClient(port, (client) =>
          Effect.gen(function*() {
            const auth = (token: string, expires = 60) =>
              client.request({
                method: "AUTH",
                toPath: `msrp://localhost:${port};tcp`,
                headers: [["Authorization", `Bearer ${token}`], ["Expires", String(expires)]]
              })
            const statusOf = ({ status }: Client.Frame) => status
            assert.strictEqual(statusOf(yield* auth(tokenOf("anna", inAnHour))), 200)
            assert.strictEqual(statusOf(yield* auth(tokenOf("anna", inAnHour), 7200)), 423)
            assert.strictEqual(statusOf(yield* auth(tokenOf("anna", inAnHour, "of nobody"))), 401)
            assert.strictEqual(statusOf(yield* auth(tokenOf("anna", inAnHour - 7200))), 401)
          }))
    )
  })

  it("a bot: it says its path, answers, and ends when its password is wrong", async () => {
    const port = await freePort()
    const RELAY = `msrp://localhost:${port};tcp`
    const bot = {
      args: ["bot.ts"],
      ports: [],
      env: { RELAY, BOT_NAME: "guest-bot", BOT_PASSWORD: "welcome, guest-bot" }
    }
    const relay = { args: ["own-credentials.ts"], env: { MSRP_LISTEN: `msrp:localhost:${port}` }, ports: [port] }
    const pathIn = (said: string): string | undefined => /^online: (.+)$/m.exec(said)?.[1]
    const wrong = { ...bot, env: { ...bot.env, BOT_PASSWORD: "welcome" } }
    await project.serving(relay, () =>
      project.serving(bot, async (said) => {
        await eventually(() => Promise.resolve(pathIn(said()) !== undefined), "the path of the bot")
        const answer = await asClient(port, (client) =>
          Effect.gen(function*() {
            yield* client.send({ toPath: pathIn(said())!, body: "Grüße" })
            return yield* client.messages.take
          }))
        assert.deepStrictEqual([answer.body?.toString(), answer.contentType], ["Grüße", "text/plain"])
        await project.serving(wrong, (said) =>
          eventually(() => Promise.resolve(/401 Unauthorized/.test(said())), "the end of the bot"))
      }))
  })

  it("expiry, tested without a socket", () => {
    const { status, stdout } = project.run("vitest", ["run", "expiry.test.ts", "--testTimeout", "60000"])
    assert.strictEqual(status, 0, stdout)
    assert.match(stdout, /Tests {2}\d+ passed/)
  })
})
