import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { spawnSync } from "node:child_process"
import { once } from "node:events"
import { createServer } from "node:http"
import * as Net from "node:net"
import { dirname, join } from "node:path"
import { type AdminToCheck, checkAdmin } from "../../../src/service/check/Admin.ts"
import { freePort } from "../../support/service.ts"
import { file } from "./setup.ts"

const told = (address: AdminToCheck["address"], running = false, tokenFile?: string) =>
  checkAdmin({ address, tokenFile }, { running }).pipe(
    Effect.map((found) => found.map(({ message, status }) => `${status} ${message}`).join("; ")),
    Effect.scoped,
    Effect.provide(NodeFileSystem.layer)
  )

const listening = (where: Net.ListenOptions) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const server = Net.createServer().listen(where)
      await once(server, "listening")
      return server
    }),
    (server) => Effect.sync(() => server.close())
  )

/** What answers each request in the same way, with JSON as it says. */
const answering = (where: Net.ListenOptions, status: number, body: string) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const server = createServer((_, response) =>
        response.writeHead(status, { "content-type": "application/json" }).end(body)
      ).listen(where)
      await once(server, "listening")
      return server
    }),
    (server) =>
      Effect.promise(() =>
        new Promise<void>((resume) => {
          server.close(() => resume())
          server.closeAllConnections()
        })
      )
  )

describe("the admin API", () => {
  it.live("on a port: it is free, taken, or of another machine", () =>
    Effect.gen(function*() {
      const host = "127.0.0.1"
      assert.strictEqual(yield* told({ _tag: "Tcp", host, port: yield* Effect.promise(freePort) }), "ok can be bound")
      const { port } = (yield* listening({ host, port: 0 })).address() as Net.AddressInfo
      assert.match(yield* told({ _tag: "Tcp", host, port }), /^problem the port is in use/)
      assert.match(yield* told({ _tag: "Tcp", host: "192.0.2.1", port }), /^problem this machine has no such address/)
    }).pipe(Effect.scoped))

  it.live("on a Unix socket: it can be made or replaced, is in use, is something else, or has no directory", () =>
    Effect.gen(function*() {
      const other = file("text")
      const path = join(dirname(other), "socket")
      assert.strictEqual(
        yield* told({ _tag: "Unix", path }, false, other),
        "ok can be created; ok clients of the admin API must send the token in this file"
      )
      assert.match(yield* told({ _tag: "Unix", path: other }), /^problem exists and is not a socket/)
      assert.match(yield* told({ _tag: "Unix", path: join(other, "x", "socket") }), /^problem /)
      assert.match(yield* told({ _tag: "Unix", path: join(other, "socket") }), /^problem nothing can be created in /)
      assert.match(
        yield* told({ _tag: "Unix", path: join(path, "none", "socket") }),
        /^problem the directory .* does not exist/
      )
      yield* listening({ path }).pipe(
        Effect.andThen(told({ _tag: "Unix", path })),
        Effect.map((taken) =>
          assert.match(taken, /^problem another program, or a relay that is already running, listens there/)
        ),
        Effect.scoped
      )
      // Somebody who had no time to clean up.
      const script = `require("net").createServer().listen(${
        JSON.stringify(path)
      }, () => process.kill(process.pid, "SIGKILL"))`
      spawnSync(process.execPath, ["-e", script])
      assert.strictEqual(yield* told({ _tag: "Unix", path }), "ok can be created")
    }))

  it.live("of a relay that runs: it answers, or nobody does, or somebody else, on a port and on a Unix socket", () =>
    Effect.gen(function*() {
      const host = "127.0.0.1"
      const path = join(dirname(file("")), "socket")
      const free = { _tag: "Tcp", host, port: yield* Effect.promise(freePort) } as const
      assert.match(yield* told(free, true), /^problem no relay answers: it cannot be reached: nobody listens there/)
      assert.match(yield* told({ _tag: "Unix", path }, true), /^problem no relay answers: it cannot be reached: /)
      for (
        const [status, body, expected] of [
          [200, `{"status":"ok"}`, /^ok a relay answers there/],
          [200, "<html>", /^problem no relay answers: What is there does not know this request/],
          [404, "", /^problem no relay answers: What is there does not know this request/]
        ] as const
      ) {
        for (const where of [{ host, port: 0 }, { path }]) {
          yield* Effect.scoped(Effect.gen(function*() {
            const at = (yield* answering(where, status, body)).address()
            const address = typeof at === "object" && at !== null
              ? { _tag: "Tcp", host, port: at.port } as const
              : { _tag: "Unix", path } as const
            assert.match(yield* told(address, true), expected)
          }))
        }
      }
    }))

  it.live("is not looked at where there is none", () =>
    Effect.gen(function*() {
      const found = yield* Effect.provide(
        Effect.scoped(checkAdmin(undefined, { running: false })),
        NodeFileSystem.layer
      )
      assert.deepStrictEqual(found.map(({ status }) => status), ["skipped"])
    }))
})
