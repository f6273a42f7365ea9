/** A long chunk that a REPORT stops. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { nextId, request, send } from "../../support/harness.ts"
import { connectFrom, machine, options } from "../../support/relays.ts"
import { simulated } from "../../support/simulated.ts"

const scenario = simulated(options)

/** One behind another relay. */
const behind = (name: string): string =>
  `msrps://outer.example.net:2855/${name};tcp msrp://${name}.invalid:9/${name};tcp`

for (const [who, flag] of [["bob", "#"], ["mallory", "$"]] as const) {
  scenario(
    `R4975-7.3.2-01 R4976-6.4-21: a REPORT stops a message where that came from, and none of another session there: of ${who}`,
    (world) =>
      Effect.gen(function*() {
        const outer = yield* connectFrom(world, machine(world, "outer.example.net"))
        // A gateway has the sessions of two users, to each of which somebody writes who is behind the relay.
        const gateway = yield* world.connect
        const owners = { bob: yield* world.login({ peer: gateway }), mallory: yield* world.login({ peer: gateway }) }
        for (const [name, { uri, usePath }] of Object.entries(owners)) {
          outer.write(send({ to: `${usePath} ${uri}`, from: behind(name), body: "hi" }))
          assert.strictEqual((yield* outer.next).status, 200)
          gateway.answer(yield* gateway.next)
        }
        const { bob, [who]: told } = owners
        const id = nextId()
        const paths = `To-Path: ${bob.usePath} ${behind("bob")}\r\nFrom-Path: ${bob.uri}`
        const more = "Message-ID: 1\r\nByte-Range: 1-*/100010\r\nContent-Type: text/plain"
        gateway.write(`MSRP ${id} SEND\r\n${paths}\r\n${more}\r\n\r\n${"x".repeat(100_000)}`)
        yield* world.network!.settled
        const headers = ["Message-ID: 1", "Byte-Range: 1-5/5", "Status: 000 413"]
        outer.write(request("REPORT", { to: `${told.usePath} ${told.uri}`, from: behind(who), headers }))
        yield* world.network!.settled
        gateway.write(`0123456789\r\n-------${id}$\r\n`)
        const frame = yield* outer.next
        outer.answer(frame)
        yield* world.network!.settled
        assert.strictEqual(frame.flag, flag)
      })
  )
}
