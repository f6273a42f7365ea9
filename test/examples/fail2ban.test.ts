/** The filter of fail2ban, with fail2ban, on lines that a relay has written. */
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { it } from "vitest"
import { Transport } from "../../src/Transport.ts"
import { makeWorld, Peer, until, type World } from "../support/harness.ts"

const FILTER = new URL("../../examples/fail2ban/filter.d/msrp-relay.conf", import.meta.url).pathname

const isThere = spawnSync("fail2ban-regex", ["--version"]).status === 0

/** The addresses that the filter finds in these lines, in order. */
const found = (lines: ReadonlyArray<string>): ReadonlyArray<string> => {
  const folder = mkdtempSync(join(tmpdir(), "fail2ban-"))
  try {
    const path = join(folder, "relay.log")
    writeFileSync(path, lines.map((line) => `${line}\n`).join(""))
    const { status, stderr, stdout } = spawnSync("fail2ban-regex", ["-o", "ip", path, FILTER], { encoding: "utf8" })
    assert.isTrue(status === 0 || stdout === "", stderr)
    return stdout.split("\n").filter((line) => line !== "")
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** From a machine of this address. */
const guess = Effect.fnUntraced(function*(world: World, username: string, password: string) {
  const peer = new Peer(world)
  world.peers.push(peer)
  yield* world.transport.connect(world.socket, peer.accept)
  const from = world.party()
  const challenge = yield* world.challenge(peer, from)
  yield* world.auth(peer, from, world.authorization(challenge, { username, password }))
  return peer
})

describe("fail2ban", () => {
  if (!isThere) return it.skip("fail2ban-regex is not there: apt-get install fail2ban", () => {})

  for (const format of ["logfmt", "json"] as const) {
    it(`finds who guesses in ${format}, and nobody else, whatever names he says he has`, () =>
      Effect.runPromise(
        Effect.gen(function*() {
          const lines: Array<string> = []
          const logger = Logger.make((entry) =>
            void lines.push(
              format === "json" ? Logger.formatJson.log(entry) : Logger.formatLogFmt.log(entry)
            )
          )
          const world = yield* makeWorld()
          // The world has a log of its own; this one gets the same lines as the service writes them.
          world.relay.operator.listen(({ fields, message }) => {
            Effect.runSync(
              Effect.annotateLogs(Effect.logInfo(message), fields).pipe(Effect.provide(Logger.layer([logger])))
            )
          })
          const names = [
            "alice",
            "eve",
            "x remote=203.0.113.9:1 status=401 reason=\\\"wrong credentials\\\"",
            "\\\",\\\"remote\\\":\\\"203.0.113.9:1\\\",\\\"status\\\":401,\\\"reason\\\":\\\"wrong credentials\\\"}"
          ]
          for (const name of names) yield* guess(world, name, "wrong")
          yield* world.login()
          const stranger = yield* world.connect
          stranger.write("GET / HTTP/1.1\r\n\r\n")
          yield* until(() => lines.some((line) => line.includes("connection ended")), "the lines")
          assert.isAbove(lines.length, names.length)
          const { host } = world.peers[0]!.connection.local
          assert.deepStrictEqual(found(lines), names.map(() => host))
          assert.deepStrictEqual(found(lines.map((line) => `relay node[17]: ${line}`)), names.map(() => host))
          // Others are not found, be it by an address of IPv6.
          const other = lines.map((line) => line.replaceAll(`${host}:`, "[2001:db8::7]:"))
          assert.deepStrictEqual(found(other), names.map(() => "2001:db8::7"))
          assert.deepStrictEqual(
            found(lines.map((line) => line.replaceAll("wrong credentials", "Expires out of bounds"))),
            []
          )
        }).pipe(Effect.scoped, Effect.provide(Transport.layerTest()))
      ))
  }
})
