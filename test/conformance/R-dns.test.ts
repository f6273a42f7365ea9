import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { parseUri } from "../../src/protocol/Uri.ts"
import { Resolver } from "../../src/Resolver.ts"
import { Transport } from "../../src/Transport.ts"
import { makeWorld, Peer, request, response, send, until, type World } from "../support/harness.ts"
import { group, reported } from "./group.ts"

group("R. DNS", ({ scenario }) => {
  scenario(
    "R4975-6.2-01 R4975-6.2-02 R4976-8-17: address and port, name and port; without a port a SEND is refused",
    (world) =>
      Effect.gen(function*() {
        const alice = yield* world.login()
        const bob = yield* world.listen
        for (const host of ["127.0.0.1", "localhost", "LOCALHOST"]) {
          const uri = bob.uri.replace("localhost", host)
          alice.peer.write(send({ to: `${alice.usePath} ${uri}`, from: alice.uri, failureReport: "no", body: host }))
          yield* until(() => bob.peers.some(({ frames }) => frames.length > 0), "the message")
          const frame = bob.peers.flatMap(({ frames }) => frames.splice(0))[0]!
          assert.strictEqual(frame.body!.toString(), host)
        }
        for (const uri of ["msrp://bob.example.com/x;tcp", "msrp://127.0.0.1/x;tcp"]) {
          alice.peer.write(send({ to: `${alice.usePath} ${uri}`, from: alice.uri, body: "x" }))
          assert.strictEqual((yield* alice.peer.next).status, 400)
        }
      })
  )

  scenario(
    "R4976-8-16: a name without an address is a failure of the connection, told by REPORT",
    (world) =>
      Effect.gen(function*() {
        const alice = yield* world.login()
        const host = world.network === undefined ? "no-such-host.localhost.example.invalid.test" : "nowhere.example"
        world.network?.answer(host, 2855, "NameNotFound")
        for (const failureReport of ["yes", "partial", "no"]) {
          alice.peer.write(
            send({ to: `${alice.usePath} msrp://${host}:2855/b;tcp`, from: alice.uri, failureReport, body: "hi" })
          )
          if (failureReport === "yes") assert.strictEqual((yield* alice.peer.next).status, 200)
          if (failureReport !== "no") assert.strictEqual(reported(yield* alice.peer.next), "000 408 | 1-2/2")
          yield* alice.peer.quiet
        }
      })
  )

  const outerRelay = (world: World, host: string, port: number, certificate = "outer.example.net") =>
    Effect.map(
      world.network!.node({ names: [host], certificate: [certificate] })
        .listen({ scheme: "msrps", host, port }, (connection) => {
          const peer = new Peer(world)
          world.peers.push(peer)
          peer.onFrame = (frame) =>
            peer.write(response(frame.from, frame.to, frame.id, "401 Unauthorized", `WWW-Authenticate: ${host}`))
          return peer.accept(connection)
        }),
      () => undefined
    )

  const relayOptions = {
    scheme: "msrps",
    listen: [{ scheme: "msrps", host: "*", port: 2855 }],
    uris: [parseUri("msrps://relay.example.com:2855;tcp")!],
    nextHops: { allow: ["0.0.0.0/0"] }
  } as const

  it.effect(
    "R4976-8-11 R4976-8-12 R4976-8-13 R4975-6.2-02 R4976-8-17 R2782-01 R2782-04 R2782-05: SRV of _msrps._tcp for an AUTH without a port, asked once, and nothing else",
    () => {
      const asked: Array<string> = []
      return Effect.gen(function*() {
        const world = yield* makeWorld(relayOptions)
        yield* outerRelay(world, "second.example.net", 4000)
        yield* outerRelay(world, "outer.example.net", 2855)
        const alice = yield* world.login()
        const auth = (to: string) =>
          Effect.gen(function*() {
            alice.peer.write(request("AUTH", { to: `${alice.usePath} ${to}`, from: alice.uri }))
            return yield* alice.peer.next
          })
        const answer = yield* auth("msrps://outer.example.net;tcp")
        assert.deepStrictEqual([answer.status, answer.headers], [401, [["WWW-Authenticate", "second.example.net"]]])
        assert.deepStrictEqual(asked, ["_msrps._tcp.outer.example.net"])
        // With a port there is nothing to look up.
        assert.deepStrictEqual((yield* auth("msrps://outer.example.net:2855;tcp")).headers, [[
          "WWW-Authenticate",
          "outer.example.net"
        ]])
        assert.strictEqual(asked.length, 1)
        // Nor for anything but an AUTH, with a port or without.
        for (const [uri, status] of [["outer.example.net:2855", 401], ["outer.example.net", 400]] as const) {
          const to = `${alice.usePath} msrps://${uri}/b;tcp`
          alice.peer.write(request("NICKNAME", { to, from: alice.uri }))
          assert.strictEqual((yield* alice.peer.next).status, status)
          alice.peer.write(send({ to, from: alice.uri, failureReport: "partial", body: "x" }))
          assert.strictEqual(reported(yield* alice.peer.next), `000 ${status} | 1-1/1`)
        }
        assert.strictEqual(asked.length, 1)
        // No record: the name itself, and the port that is recommended.
        yield* outerRelay(world, "plain.example.net", 2855, "plain.example.net")
        assert.deepStrictEqual((yield* auth("msrps://plain.example.net;tcp")).headers, [[
          "WWW-Authenticate",
          "plain.example.net"
        ]])
        // None of its targets answers; its own address would.
        yield* outerRelay(world, "dead.example.net", 2855, "dead.example.net")
        assert.strictEqual((yield* auth("msrps://dead.example.net;tcp")).status, 408)
        yield* world.done
      }).pipe(
        Effect.provideService(Resolver, {
          addresses: () => Effect.die("the simulated network has its own names"),
          srv: (name) => {
            asked.push(name)
            const record = { priority: 1, weight: 1, port: 4000, target: "second.example.net" }
            const dead = { ...record, priority: 0, port: 4001, target: "first.example.net" }
            return Effect.succeed(name.includes("plain") ? [] : name.includes("dead") ? [dead] : [record, dead])
          }
        }),
        Effect.provide(Transport.layerTest())
      )
    }
  )
})
