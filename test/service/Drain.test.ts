/** The service as a process that is told to end while somebody is there. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Scope from "effect/Scope"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it, vi } from "vitest"
import * as Client from "../../src/Client.ts"
import { Codec } from "../../src/Codec.ts"
import { Transport } from "../../src/Transport.ts"
import { ended, eventually, output, start, type Started } from "../support/service.ts"

// A process takes long to start on a machine that does much else.
vi.setConfig({ testTimeout: 180_000 })

/** A party that runs until it leaves. */
const party = async (port: number) => {
  const runtime = ManagedRuntime.make(Layer.mergeAll(Transport.layerNode(), Codec.layer))
  const scope = Scope.makeUnsafe()
  const run = <A, E>(effect: Effect.Effect<A, E, Transport | Codec | Scope.Scope>): Promise<A> =>
    runtime.runPromise(Effect.provideService(effect, Scope.Scope, scope))
  const client = await run(Client.connect({ scheme: "msrp", host: "127.0.0.1", port }))
  const relay = `msrp://127.0.0.1:${port};tcp`
  return {
    client,
    run,
    login: () => run(client.auth({ relay, username: "alice", password: "wonderland" })),
    leave: async () => {
      await Effect.runPromise(Scope.close(scope, Exit.void))
      await runtime.dispose()
    }
  }
}

const withSession = async (
  env: Record<string, string>,
  body: (
    parts:
      & Started
      & { readonly log: { text: string }; readonly grant: Client.Grant }
      & Awaited<ReturnType<typeof party>>
  ) => Promise<void>,
  command?: ReadonlyArray<string>
): Promise<void> => {
  const started = await start(command === undefined ? { env } : { env, command })
  const log = output(started.child)
  const alice = await party(started.port)
  try {
    const grant = await alice.login()
    await body({ ...started, ...alice, grant, log })
  } finally {
    started.child.kill("SIGKILL")
    await alice.leave()
  }
}

const draining = (log: { readonly text: string }): Promise<void> =>
  eventually(() => log.text.includes("draining"), "the line that it drains")

describe("SIGTERM", () => {
  it("has the service stay for a session until its client leaves, and sends others elsewhere", () =>
    withSession({ MSRP_DRAIN_TIMEOUT: "1 hour" }, async ({ child, client, grant, leave, log, port, run }) => {
      child.kill("SIGTERM")
      await draining(log)
      assert.match(log.text, /message=draining sessions=1 seconds=3600/)
      const late = await party(port)
      const refused = await late.run(Effect.flip(late.client.auth({
        relay: `msrp://127.0.0.1:${port};tcp`,
        username: "alice",
        password: "wonderland"
      })))
      assert.strictEqual(refused.status, 408)
      await late.run(late.client.closed)
      await late.leave()
      const { status } = await run(client.request({ method: "SEND", toPath: grant.usePath }))
      assert.strictEqual(status, 200)
      await leave()
      assert.strictEqual(await ended(child), 0)
      await eventually(() => log.text.includes("message=drained"), "the line that it has drained")
      await eventually(() => log.text.includes("message=stopped"), "the last line")
      // Nothing is logged behind it. Whoever has looked whether it listens may count as a connection.
      assert.match(log.text, /message=stopped sessions=1 connections=\d+ seconds=[\d.]+\n$/)
    }))

  it("has it stay no longer than the time limit says", () =>
    withSession({ MSRP_DRAIN_TIMEOUT: "500ms" }, async ({ child, client, log, run }) => {
      child.kill("SIGTERM")
      await run(client.closed)
      assert.strictEqual(await ended(child), 0)
      await eventually(() => /the time limit ended sessions.* sessions=1/.test(log.text), "the line that says so")
      await eventually(
        () => /message=stopped sessions=1 connections=1 seconds=[\d.]+\n$/.test(log.text),
        "the last line"
      )
    }))

  it("leaves it a reload, before and while it drains, which the time limit is part of", async () => {
    const directory = mkdtempSync(join(tmpdir(), "msrp-relay-drain-"))
    const path = join(directory, "relay.env")
    writeFileSync(path, "MSRP_DRAIN_TIMEOUT=500ms\n")
    try {
      await withSession({ MSRP_ENV_FILE: path }, async ({ child, leave, log }) => {
        const reload = async (text: string, settings: string) => {
          writeFileSync(path, text)
          child.kill("SIGHUP")
          await eventually(
            () => log.text.includes(`message=reloaded settings=${settings}`),
            `the reload of ${settings}`
          )
        }
        await reload("MSRP_DRAIN_TIMEOUT=1 hour\n", "MSRP_DRAIN_TIMEOUT")
        child.kill("SIGTERM")
        await draining(log)
        assert.match(log.text, /message=draining sessions=1 seconds=3600/)
        await reload("MSRP_DRAIN_TIMEOUT=1 hour\nMSRP_LOG_LEVEL=debug\n", "MSRP_LOG_LEVEL")
        await leave()
        assert.strictEqual(await ended(child), 0)
      })
    } finally {
      rmSync(directory, { recursive: true })
    }
  })

  it("ends it at once when it comes again", () =>
    withSession({ MSRP_DRAIN_TIMEOUT: "1 hour" }, async ({ child, log }) => {
      child.kill("SIGTERM")
      await draining(log)
      child.kill("SIGTERM")
      assert.strictEqual(await ended(child), 143)
    }))

  it("ends it at once with a time limit of 0", () =>
    withSession({ MSRP_DRAIN_TIMEOUT: "0" }, async ({ child, client, log, run }) => {
      child.kill("SIGTERM")
      await run(client.closed)
      assert.strictEqual(await ended(child), 0)
      assert.notInclude(log.text, "draining")
    }))
})

describe("SIGINT", () => {
  it("ends a service that nobody has a session with at once", async () => {
    const { child } = await start({ env: { MSRP_DRAIN_TIMEOUT: "1 hour" } })
    const log = output(child)
    child.kill("SIGINT")
    assert.strictEqual(await ended(child), 0)
    assert.notInclude(log.text, "draining")
  })
})

describe("the end of npm", () => {
  /** Milliseconds: for longer than npm and its followers need to tell the same once more. */
  const TOLD = 1200
  const command = ["npm", "start", "--silent"]
  const env = { MSRP_DRAIN_TIMEOUT: "1 hour" }

  it("has what it started stay for a session, as the signal does that it passes on", () =>
    withSession(env, async ({ child, client, grant, leave, log, run }) => {
      child.kill("SIGTERM")
      await draining(log)
      const alive = async () => {
        const { status } = await run(client.request({ method: "SEND", toPath: grant.usePath }))
        assert.strictEqual(status, 200)
      }
      for (const end = performance.now() + TOLD; performance.now() < end;) await alive()
      child.kill("SIGKILL")
      await eventually(() => log.text.includes("npm is gone"), "the line about npm")
      for (let i = 0; i < 10; i++) await alive()
      await leave()
      await eventually(() => log.text.includes("message=drained"), "the end")
    }, command))

  it("does so without a word, too", () =>
    withSession(env, async ({ child, leave, log }) => {
      child.kill("SIGKILL")
      await draining(log)
      await leave()
      await eventually(() => log.text.includes("message=drained"), "the end")
    }, command))
})
