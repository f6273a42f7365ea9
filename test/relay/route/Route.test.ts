/** The way back of answers to requests that are not SENDs, also of those that do not say how to go on. */
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { type Frame, header, nextId, type Peer, request, response, send, until } from "../../support/harness.ts"
import { connectFrom, end, grantedThrough, listenAs, machine, options } from "../../support/relays.ts"
import { simulated } from "../../support/simulated.ts"

const scenario = simulated(options)

const FAR = "msrps://far.example.org:2855;tcp"
const CHALLENGE = "WWW-Authenticate: Digest realm=\"far\", nonce=\"n\", qop=\"auth\""

/** Sends an AUTH to the relay further on, and has that answer it with such a To-Path. */
const asked = Effect.fnUntraced(function*(
  far: ReadonlyArray<Peer>,
  peer: Peer,
  paths: { readonly to: string; readonly from: string },
  toPath: (frame: Frame) => string
) {
  const id = nextId()
  peer.write(request("AUTH", { ...paths, id }))
  yield* until(() => far[0]?.frames.length === 1, "the AUTH")
  const frame = yield* far[0]!.next
  far[0]!.write(response(toPath(frame), FAR, frame.id, "401 Unauthorized", CHALLENGE))
  return id
})

const firstOf = ({ from }: Frame): string => from.split(" ")[0]!

describe("answers on their way back", () => {
  scenario(
    "R4976-6.4.3-07: a To-Path that names only the previous hop is completed from the request",
    (world) =>
      Effect.gen(function*() {
        const far = yield* listenAs(world, "far.example.org")
        const alice = yield* world.login()
        const paths = { to: `${alice.usePath} ${FAR}`, from: alice.uri }
        for (const toPath of [firstOf, ({ from }: Frame) => from]) {
          const id = yield* asked(far, alice.peer, paths, toPath)
          const answer = yield* alice.peer.next
          assert.strictEqual(
            answer.octets.toString("latin1"),
            response(alice.uri, `${alice.usePath} ${FAR}`, id, "401 Unauthorized", CHALLENGE).toString("latin1")
          )
        }
        assert.strictEqual(world.relay.gauges().transactions, 0)
      })
  )

  scenario(
    "R4976-6.4.3-07: a To-Path is completed behind another relay too, whatever part of it is missing",
    (world) =>
      Effect.gen(function*() {
        const far = yield* listenAs(world, "far.example.org")
        const link = yield* connectFrom(world, machine(world, "outer.example.net"))
        const from = "msrps://outer.example.net:2855/s1;tcp msrp://carol.invalid:9/c;tcp"
        const usePath = yield* grantedThrough(world, link, from)
        for (const uris of [1, 2, 3]) {
          const toPath = (frame: Frame) => frame.from.split(" ").slice(0, uris).join(" ")
          const id = yield* asked(far, link, { to: `${usePath} ${FAR}`, from }, toPath)
          const answer = yield* link.next
          assert.deepStrictEqual([answer.id, answer.status, answer.to], [id, 401, from])
          assert.strictEqual(answer.from, `${usePath} ${FAR}`)
        }
        end(world, usePath)
      })
  )

  scenario(
    "R4976-6.4.3-07: a To-Path is completed for two sessions of this relay too, and for any method",
    (world) =>
      Effect.gen(function*() {
        const alice = yield* world.login()
        const carol = yield* world.login({ username: "carol" })
        const paths = { to: `${alice.usePath} ${carol.usePath} ${carol.uri}`, from: alice.uri }
        for (const uris of [1, 2, 3]) {
          const id = nextId()
          alice.peer.write(request("NICKNAME", { ...paths, id, headers: ["Use-Nickname: \"x\""] }))
          const { from, id: given } = yield* carol.peer.next
          carol.peer.write(response(from.split(" ").slice(0, uris).join(" "), carol.uri, given, "200 OK"))
          const answer = yield* alice.peer.next
          assert.deepStrictEqual([answer.id, answer.status, answer.to], [id, 200, alice.uri])
          assert.strictEqual(answer.from, `${alice.usePath} ${carol.usePath} ${carol.uri}`)
        }
      })
  )

  scenario(
    "R4976-6.4.2-07 R4976-6.4.3-02: an answer that cannot go back counts as none and becomes 408, also after one to a SEND",
    (world) =>
      Effect.gen(function*() {
        const far = yield* listenAs(world, "far.example.org")
        const alice = yield* world.login()
        const carol = yield* world.login({ username: "carol" })
        const paths = { to: `${alice.usePath} ${carol.usePath} ${carol.uri}`, from: alice.uri }
        // Both answers have the same paths: all that an answer to a SEND needs, and no way back for another.
        alice.peer.write(send({ ...paths, body: "hi" }))
        assert.strictEqual((yield* alice.peer.next).status, 200)
        const wrong = `${carol.usePath} msrps://elsewhere.example.org:2855/x;tcp`
        carol.peer.write(response(wrong, carol.uri, (yield* carol.peer.next).id, "200 OK"))
        alice.peer.write(request("PING", paths))
        const ping = yield* carol.peer.next
        carol.peer.write(response(wrong, carol.uri, ping.id, "200 OK"))
        // A right one still counts.
        carol.peer.write(response(ping.from, carol.uri, ping.id, "200 OK"))
        assert.strictEqual((yield* alice.peer.next).status, 200)

        const id = yield* asked(
          far,
          alice.peer,
          { to: `${alice.usePath} ${FAR}`, from: alice.uri },
          () => "msrps://elsewhere.example.org:2855/x;tcp"
        )
        yield* TestClock.adjust("29 seconds")
        yield* alice.peer.quiet
        yield* TestClock.adjust("1 second")
        const late = yield* alice.peer.next
        assert.deepStrictEqual([late.id, late.status, header(late, "WWW-Authenticate")], [id, 408, undefined])
      })
  )
})
