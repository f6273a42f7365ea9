/** The client for web pages as it is shipped: its size, and that it works in a browser by itself. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { createHash } from "node:crypto"
import { once } from "node:events"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"
import { gzipSync } from "node:zlib"
import type { Browser } from "playwright-core"
import { type OutputChunk, rolldown } from "rolldown"
import { afterAll, assert, beforeAll, describe, it, onTestFinished } from "vitest"
import { bundleClient, forBrowsers } from "../../src/browser/bundle.ts"
import type * as Facade from "../../src/browser/index.ts"
import { Buffer as PageBuffer } from "../../src/platform/Browser.ts"
import { Transport } from "../../src/Transport.ts"
import { fencesIn, textOf } from "../documents/fences.ts"
import { hasBrowser, launch, open } from "../support/browser.ts"
import { PASSWORD, startRelay } from "./relay.ts"

/** Octets of the bundle by gzip. */
const MAX_GZIP = 48_000

const PAGE = "<!doctype html><link rel=icon href=data:,><title>A page</title>" +
  "<script type=module>import * as msrp from \"/msrp.js\"; globalThis.msrp = msrp</script>"

const source = (path: string): string => fileURLToPath(new URL(`../../src/${path}`, import.meta.url))

let bundle: string
beforeAll(async () => {
  bundle = await bundleClient()
})

describe("the bundle", () => {
  it("stays small", () => {
    const { length } = gzipSync(bundle)
    assert.isAtMost(length, MAX_GZIP)
    const [, about] = /It is one file, about (\d+) KB by gzip/.exec(textOf("docs/browser.md"))!
    assert.closeTo(Number(about), length / 1000, 2)
  })

  it("needs nothing but a browser", () => {
    assert.notMatch(bundle, /\bimport\s*["'{*]|\bfrom\s*["']|\brequire\(/)
    assert.match(bundle, /export\s*\{[^}]*\bconnect\b/)
    assert.match(bundle, /export\s*\{[^}]*\bMsrpError\b/)
  })
})

/** A program in one file for a page, with the modules of `src` for those of the package. */
const bundled = async (program: string): Promise<OutputChunk> => {
  const folder = mkdtempSync(join(tmpdir(), "msrp-bundle-"))
  const entry = join(folder, "program.ts")
  const local = program
    .replaceAll(/"msrp-relay(?:\/([\w/]+))?"/g, (_, name = "index") => JSON.stringify(source(`${name}.ts`)))
    .replaceAll(/"(effect\/\w+)"/g, (_, name) => JSON.stringify(fileURLToPath(import.meta.resolve(name))))
  writeFileSync(entry, local)
  try {
    await using bundle = await rolldown(await forBrowsers(entry))
    const { output: [chunk] } = await bundle.generate({ format: "esm", minify: true, comments: false })
    return chunk
  } finally {
    rmSync(folder, { recursive: true })
  }
}

describe("the client for programs, bundled for a page", { timeout: 60_000 }, () => {
  const shown = fencesIn("docs/client.md").find(({ code }) => code.includes("browser/WebSocketTransport"))

  it("as docs/client.md shows it needs no Node: there is nothing to find a relay by but its host", async () => {
    const { code } = await bundled(shown!.code)
    assert.notMatch(code, /\bimport\s*["'{*]|\bfrom\s*["']|\brequire\(/)
    assert.include(code, "Client.online")
  })

  it("from the module of all services it does, as docs/client.md says", async () => {
    const program = shown!.code.replace(
      `import * as Client from "msrp-relay/Client"\nimport { Codec } from "msrp-relay/Codec"`,
      `import { Client, Codec } from "msrp-relay"`
    )
    assert.include(program, `from "msrp-relay"`)
    const outcome = await bundled(program).then(({ code }) => code, (error: unknown) => String(error))
    assert.match(outcome, /node:|Could not resolve/)
  })

  it("calls nothing of Node's Buffer that the one of pages lacks", async () => {
    const { moduleIds } = await bundled(shown!.code)
    const own = moduleIds.filter((path) => path.startsWith(source("")))
    assert.isAbove(own.length, 50)
    const called = own.flatMap((path) =>
      [...readFileSync(path, "utf8").matchAll(/\bBuffer\.(\w+)\(/g)].map(([, name]) => name!)
    )
    assert.include(called, "concat")
    assert.deepStrictEqual([...new Set(called)].filter((name) => !(name in PageBuffer)), [])
  })

  it("logs in, and sends text, octets and requests", async () => {
    const { code } = await bundled(`
      import * as Effect from "effect/Effect"
      import { layerWebSocket } from "msrp-relay/browser/WebSocketTransport"
      import * as Client from "msrp-relay/Client"
      import { Codec } from "msrp-relay/Codec"

      export const chat = (relay: string, password: string) =>
        Effect.gen(function*() {
          const alice = yield* Client.online({ relay, username: "alice", password })
          const bob = yield* Client.online({ relay, username: "bob", password })
          const { path } = yield* bob.current
          const sent = yield* alice.send({ to: path, body: "Grüße", successReport: true })
          yield* sent.delivered
          yield* alice.send({ to: path, body: new Uint8Array([0xc3, 0xa4]), contentType: "text/plain" })
          const { client, grant } = yield* alice.current
          const toPath = [...grant.usePath, ...path]
          const wrong = yield* Effect.flip(
            client.request({ method: "SEND", toPath, transactionId: "abcd1234", body: "\\r\\n-------abcd1234$\\r\\n" })
          )
          const other = yield* client.request({ method: "NICK", toPath, headers: [["Content-Type", "text/plain"]], body: "ä" })
          const texts = (yield* bob.messages.takeN(2)).map(({ body }) => body!.toString())
          return { texts, wrong: wrong.reason, other: other.status }
        }).pipe(Effect.scoped, Effect.provide([layerWebSocket, Codec.layer]), Effect.runPromise)
    `)
    const folder = mkdtempSync(join(tmpdir(), "msrp-bundle-"))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    writeFileSync(join(folder, "chat.mjs"), code)
    const { chat } = (await import(pathToFileURL(join(folder, "chat.mjs")).href)) as {
      readonly chat: (relay: string, password: string) => Promise<unknown>
    }
    const told = await Effect.runPromise(
      startRelay({ scheme: "msrp", transport: "ws", host: "127.0.0.1", port: 0 }).pipe(
        Effect.flatMap(({ sockets: [socket] }) =>
          Effect.promise(() => chat(`msrp://127.0.0.1:${socket!.port};ws`, PASSWORD))
        ),
        Effect.scoped,
        Effect.provide(Transport.layerNode())
      )
    )
    assert.deepStrictEqual(told, { texts: ["Grüße", "ä"], wrong: "Options", other: 501 })
  })
})

describe.skipIf(!hasBrowser)("the bundle in a browser", { timeout: 60_000 }, () => {
  const scope = Scope.makeUnsafe()
  let browser: Browser
  let server: Server
  let page = 0
  let relay = 0
  beforeAll(async () => {
    browser = await launch()
    server = createServer((request, response) => {
      const isScript = request.url === "/msrp.js"
      response.setHeader("Content-Type", isScript ? "text/javascript" : "text/html")
      response.end(isScript ? bundle : PAGE)
    }).listen(0, "127.0.0.1")
    await once(server, "listening")
    page = (server.address() as AddressInfo).port
    const transport = await Effect.runPromise(Layer.buildWithScope(Transport.layerNode(), scope))
    const started = await Effect.runPromise(
      startRelay({ scheme: "msrp", transport: "ws", host: "127.0.0.1", port: 0 }).pipe(
        Effect.provide(transport),
        Scope.provide(scope)
      )
    )
    relay = started.sockets[0]!.port
  }, 60_000)
  afterAll(async () => {
    await browser.close()
    server.close()
    await Effect.runPromise(Scope.close(scope, Exit.void))
  })

  it("logs in twice, chats, and carries a file", async () => {
    const opened = await open(browser, page)
    await opened.page.waitForFunction("globalThis.msrp !== undefined")
    const told = await opened.page.evaluate(async ({ password, url }) => {
      const { connect } = (globalThis as unknown as { readonly msrp: typeof Facade }).msrp
      const [alice, bob] = await Promise.all([
        connect({ url, username: "alice", password }),
        connect({ url, username: "bob", password })
      ])
      const toAlice = bob.session()
      const toBob = alice.session({ peer: toAlice.path })
      toAlice.peer = toBob.path
      const sent = await toBob.send("Grüße", { receipt: true })
      const first = async <A>(iterable: AsyncIterable<A>): Promise<A> => {
        for await (const one of iterable) return one
        throw new Error("there is none")
      }
      const text = await (await first(toAlice.messages)).text()
      const { status } = await sent.delivered

      const octets = new Uint8Array(3_000_000).map((_, i) => i * 7 % 251)
      const job = toAlice.send(new File([octets], "ä.bin", { type: "image/x-test" }))
      const file = await first(toBob.incoming)
      const blob = await file.blob()
      await job
      const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", await blob.arrayBuffer()))
      const wrong = await connect({ url, username: "alice", password: "x" }).catch((error: Facade.MsrpError) => error)
      await alice.close()
      await bob.close()
      return {
        text,
        status,
        name: file.name,
        type: blob.type,
        hash: [...hash],
        wrong: "reason" in wrong && [wrong.reason, wrong.status],
        state: alice.state
      }
    }, { url: `ws://127.0.0.1:${relay}/`, password: PASSWORD })
    const octets = new Uint8Array(3_000_000).map((_, i) => i * 7 % 251)
    assert.deepStrictEqual(told, {
      text: "Grüße",
      status: 200,
      name: "ä.bin",
      type: "image/x-test",
      hash: [...createHash("sha256").update(octets).digest()],
      wrong: ["Login", 401],
      state: "closed"
    })
    assert.deepStrictEqual(opened.complaints.filter((one) => !one.startsWith("asked for ws:")), [])
    await opened.close()
  })
})
