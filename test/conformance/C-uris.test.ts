import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { strongestChallenge } from "../../src/protocol/digest/Challenge.ts"
import { parseUri } from "../../src/protocol/Uri.ts"
import { header, headers, nextId, request, send, summary, type World } from "../support/harness.ts"
import { group, pairOf } from "./group.ts"

const own = ["msrp://relay.example.com:2855;tcp", "msrp://Other.Example.com:9999;tcp"].map((text) => parseUri(text)!)

group("C. URIs", ({ scenario }) => {
  scenario(
    "R4976-6.2-01 R4976-4.1-01 R4976-4.2-01 R4976-4.2-10: known by each of its names, with and without the port",
    (world) =>
      Effect.gen(function*() {
        const addressed = [
          "msrp://relay.example.com:2855;tcp",
          "msrp://relay.example.com;tcp",
          "msrp://RELAY.example.COM:2855;TCP",
          "msrp://alice@relay.example.com:2855;tcp",
          "msrp://other.example.com:9999;tcp",
          "msrp://other.example.com;tcp;x=y",
          "msrp://r%65lay.example.com:2855;ws"
        ]
        for (const to of addressed) {
          const peer = yield* world.connect
          const from = world.party()
          peer.write(request("AUTH", { to, from }))
          const challenged = yield* peer.next
          assert.strictEqual(challenged.status, 401, to)
          assert.strictEqual(challenged.from, to)
          const challenge = strongestChallenge(headers(challenged, "WWW-Authenticate"))!
          const authorization = world.authorization(challenge, { uri: to })
          peer.write(request("AUTH", { to, from, headers: [authorization] }))
          const granted = yield* peer.next
          assert.strictEqual(granted.status, 200, to)
          // The name and the port of the relay itself, so that whoever has it can come back to this very relay.
          assert.match(header(granted, "Use-Path")!, /^msrp:\/\/(relay|other)\.example\.com:(2855|9999)\/[^;]+;tcp$/i)
        }
        const foreign = [
          "msrp://relay.example.com:2856;tcp",
          "msrp://example.com;tcp",
          "msrp://localhost:2855;tcp",
          "msrp://relay.example.com:2855;udp"
        ]
        for (const to of foreign) {
          const peer = yield* world.connect
          peer.write(request("AUTH", { to, from: world.party() }))
          yield* peer.ends
        }
      }),
    { uris: own }
  )

  scenario(
    "R4976-8-15: one of a farm: addressed by the name of all, reached by its own",
    (world) =>
      Effect.gen(function*() {
        const peer = yield* world.connect
        const from = world.party()
        for (const to of ["msrp://example.com;tcp", "msrp://one.example.com:2856;tcp"]) {
          peer.write(request("AUTH", { to, from }))
          const challenge = strongestChallenge(headers(yield* peer.next, "WWW-Authenticate"))!
          peer.write(request("AUTH", { to, from, headers: [world.authorization(challenge, { uri: to })] }))
          const granted = yield* peer.next
          const usePath = header(granted, "Use-Path")!
          assert.match(usePath, /^msrp:\/\/one\.example\.com:2856\//)
          peer.write(request("SEND", { to: usePath, from, headers: ["Message-ID: m.01"] }))
          assert.strictEqual((yield* peer.next).status, 200)
        }
      }),
    {
      uris: [parseUri("msrp://example.com:2855;tcp")!, parseUri("msrp://one.example.com:2856;tcp")!],
      usePath: [parseUri("msrp://one.example.com:2856;tcp")!]
    }
  )

  const addresses = [
    "msrp://127.0.0.1:2855;tcp",
    "msrps://relay.example.com:2855;tcp",
    "msrp://other.example.com:2856;tcp",
    "msrp://localhost:2855;tcp",
    "msrp://[::1]:2855;tcp",
    "msrp://192.0.2.1:2857;tcp"
  ].map((text) => parseUri(text)!)

  /** The Use-Path that each of these is answered with, and by which the relay is reached then. */
  const usePaths = Effect.fnUntraced(function*(world: World, addressed: ReadonlyArray<string>) {
    const paths: Array<string> = []
    for (const to of addressed) {
      const peer = yield* world.connect
      const from = world.party()
      peer.write(request("AUTH", { to, from }))
      const challenge = strongestChallenge(headers(yield* peer.next, "WWW-Authenticate"))!
      peer.write(request("AUTH", { to, from, headers: [world.authorization(challenge, { uri: to })] }))
      const granted = yield* peer.next
      assert.deepStrictEqual([granted.status, granted.from], [200, to])
      const usePath = header(granted, "Use-Path")!
      peer.write(send({ to: usePath, from }))
      assert.strictEqual((yield* peer.next).status, 200)
      paths.push(usePath.replace(/\/[^/;]+;tcp$/, ""))
    }
    return paths
  })

  scenario(
    "who addresses the relay by one of its URIs gets that in Use-Path, since that is what he can reach",
    (world) =>
      Effect.gen(function*() {
        const paths = yield* usePaths(world, [
          "msrp://127.0.0.1:2855;tcp",
          "msrp://[0::1]:2855;tcp",
          "msrp://192.0.2.1:2857;tcp",
          "msrp://LOCALHOST:2855;tcp"
        ])
        assert.deepStrictEqual(paths, [
          "msrp://127.0.0.1:2855",
          "msrp://[::1]:2855",
          "msrp://192.0.2.1:2857",
          "msrp://localhost:2855"
        ])
      }),
    { uris: addresses }
  )

  scenario(
    "R4976-4.2-01 R4976-4.2-10: Use-Path has the name also for who addresses the relay by an address, where it is said which",
    (world) =>
      Effect.gen(function*() {
        const paths = yield* usePaths(world, ["msrp://127.0.0.1:2855;tcp", "msrp://other.example.com;tcp"])
        assert.deepStrictEqual(paths, ["msrp://relay.example.com:2855", "msrp://relay.example.com:2855"])
      }),
    { uris: addresses, usePath: [parseUri("msrp://relay.example.com:2855;tcp")!] }
  )

  scenario(
    "R4976-8-15: of several domains each has its own name for the relay, and the others the one for all",
    (world) =>
      Effect.gen(function*() {
        const addressed = [
          "msrp://OTHER.example.com:2856;tcp",
          "msrp://other.example.com;tcp",
          "msrp://localhost:2855;tcp"
        ]
        assert.deepStrictEqual(yield* usePaths(world, addressed), [
          "msrp://one.other.example.com:2856",
          "msrp://one.other.example.com:2856",
          "msrp://relay.example.com:2855"
        ])
      }),
    {
      uris: addresses,
      usePath: [
        parseUri("msrp://relay.example.com:2855;tcp")!,
        { ...parseUri("msrps://tls.other.example.com:2855;tcp")!, domain: "other.example.com" },
        { ...parseUri("msrp://one.other.example.com:2856;tcp")!, domain: "other.example.com" }
      ]
    }
  )

  scenario(
    "R4976-8-01 R4976-8-02 R4975-6-04: a port in every URI of a request that somebody may have to connect to",
    (world) =>
      Effect.gen(function*() {
        const { alice, back, bob, bobUri, forth } = yield* pairOf(world)
        const bare = (text: string) => text.replace(":9/", "/")
        const lacking = [
          { at: alice.peer, to: `${alice.usePath} ${bare(bobUri)}`, from: alice.uri },
          { at: alice.peer, to: forth.to, from: bare(alice.uri) },
          { at: alice.peer, to: bare(forth.to).replace(/:\d+/, ""), from: alice.uri },
          { at: bob, to: `${alice.usePath} ${bare(alice.uri)}`, from: bobUri },
          { at: bob, to: back.to, from: bare(bobUri) }
        ]
        for (const { at, from, to } of lacking) {
          for (const method of ["SEND", "NICKNAME"]) {
            const id = nextId()
            at.write(request(method, { id, to, from }))
            const answer = yield* at.next
            assert.deepStrictEqual([answer.id, summary(answer)], [id, "400 | $"], `${to} ${from}`)
          }
          at.write(request("REPORT", { to, from, headers: ["Message-ID: m.01", "Status: 000 200 OK"] }))
          yield* at.quiet
        }
        yield* alice.peer.quiet
        yield* bob.quiet
        // Behind the previous hop, and where a client has made the connection itself, it does not matter.
        for (const from of [`${bobUri} ${bare(alice.uri)}`, bare(bobUri).replace(";tcp", ";ws")]) {
          bob.write(send({ to: back.to, from, body: "x" }))
          assert.strictEqual(summary(yield* bob.next), "200 | $")
          const frame = yield* alice.peer.next
          assert.strictEqual(frame.from, `${alice.usePath} ${from}`)
          alice.peer.answer(frame)
          alice.peer.write(send({ to: `${alice.usePath} ${from.split(" ")[0]}`, from: alice.uri, body: "y" }))
          assert.strictEqual(summary(yield* alice.peer.next), "200 | $")
          bob.answer(yield* bob.next)
        }
      })
  )

  scenario(
    "R4976-8-01: an AUTH from a URI without a port is refused, because nothing could be sent from it or to it afterwards",
    (world) =>
      Effect.gen(function*() {
        const peer = yield* world.connect
        const lacking = ["msrp://alice.invalid/a;tcp", "msrp://alice.invalid:/a;tcp"]
        for (const uri of lacking) {
          const { comment, status } = yield* world.auth(peer, uri)
          assert.deepStrictEqual([status, comment], [400, "From-Path Without a Port"], uri)
        }
        // No port leads to a browser (RFC 7977 §8.3.2).
        for (const uri of ["msrp://alice.invalid:9/a;tcp", "msrp://alice.invalid/a;ws"]) {
          assert.strictEqual((yield* world.auth(peer, uri)).status, 401, uri)
        }
      })
  )

  scenario(
    "R4975-6.1-01..04 R4975-6.1-06..11 R4976-6.4-03: a session URI is known in each of its spellings, and keeps the one it has",
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, bobUri } = yield* pairOf(world)
        const [, port, id] = /^msrp:\/\/localhost:(\d+)\/(.*);tcp$/.exec(alice.usePath)!
        const same = [
          `MSRP://localhost:${port}/${id};tcp`,
          `msrp://LocalHost:${port}/${id};TCP`,
          `msrp://user@localhost:${port}/${id};tcp`,
          `msrp://u;s:%40@localhost:${port}/${id};tcp`,
          `msrp://l%6fc%61lhost:${port}/${id};tcp`,
          `msrp://localhost:${port}/${id};tcp;a=b;c`
        ]
        for (const own of same) {
          alice.peer.write(send({ to: `${own} ${bobUri}`, from: alice.uri, body: "x" }))
          const answer = yield* alice.peer.next
          assert.deepStrictEqual([answer.status, answer.from], [200, own])
          const frame = yield* bob.next
          assert.deepStrictEqual([frame.to, frame.from], [bobUri, `${own} ${alice.uri}`])
          bob.answer(frame)
        }
        const other = [
          `msrps://localhost:${port}/${id};tcp`,
          `msrp://localhost:${port}/${id!.toUpperCase()};tcp`,
          `msrp://localhost:${port}/x/../${id};tcp`,
          `msrp://localhost:${port}/${id};ws`,
          `msrp://localhost:${port};tcp`
        ]
        for (const own of other) {
          alice.peer.write(send({ to: `${own} ${bobUri}`, from: alice.uri, body: "x" }))
          assert.strictEqual(summary(yield* alice.peer.next), "481 | $", own)
        }
        yield* bob.quiet
      })
  )

  scenario(
    "R4975-9-50..54 R4975-6-02 R4975-6-03 R4975-9-73 R4975-7.2-03: what is no MSRP URI is refused, in either path",
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, forth } = yield* pairOf(world)
        const bad = [
          "msrp://h:1/x",
          "msrp://h:1/;tcp",
          "msrp://h:1/%41;tcp",
          "msrp://h:1/x;",
          "msrp://h:1/x;tcp;",
          "msrp://h:1/x;tcp;a=",
          "msrp://h:1/x;;tcp",
          "msrp://h:1/x;tcp#f",
          "msrp://h:1/x?q;tcp",
          "msrp://h:1;tcp/x",
          "msrp://h:x/x;tcp",
          "msrp://h:65536/x;tcp",
          "msrp://192.0.2.1/x;tcp",
          "msrp://[2001:db8::1]/x;tcp",
          "msrp://2001:db8::1:2855/x;tcp",
          "msrp:///x;tcp",
          "sip:bob@h:1"
        ]
        for (const uri of bad) {
          for (const method of ["SEND", "NICKNAME"]) {
            alice.peer.write(request(method, { to: `${alice.usePath} ${uri}`, from: alice.uri }))
            assert.strictEqual(summary(yield* alice.peer.next), "400 | $", uri)
            alice.peer.write(request(method, { ...forth, from: uri }))
            const answer = yield* alice.peer.next
            assert.deepStrictEqual([summary(answer), answer.to, answer.from], ["400 | $", uri, alice.usePath])
          }
        }
        yield* alice.peer.quiet
        yield* bob.quiet
      })
  )

  scenario(
    "R7977-5.2.1-01 R7977-5.2.2-01 R4975-6-01 R4976-6.4-03: URIs that nobody dials may have any transport and user, and stay as they are",
    (world) =>
      Effect.gen(function*() {
        const { alice, back, bob } = yield* pairOf(world)
        for (const transport of ["tcp", "TCP", "ws", "dc", "x9"]) {
          for (const authority of ["u;s:p@Bob.EXAMPLE:4", "[2001:DB8::1]:5", "b%41b.invalid:6"]) {
            const from = `msrp://${authority}/S~i.d+=/_-;${transport};p=1`
            bob.write(send({ to: back.to, from, body: "x" }))
            assert.strictEqual((yield* bob.next).to, from)
            const frame = yield* alice.peer.next
            assert.strictEqual(frame.from, `${alice.usePath} ${from}`)
            alice.peer.answer(frame)
            alice.peer.write(send({ to: `${alice.usePath} ${from}`, from: alice.uri, body: "y" }))
            assert.strictEqual((yield* alice.peer.next).status, 200)
            const returned = yield* bob.next
            assert.strictEqual(returned.to, from)
            bob.answer(returned)
          }
        }
        assert.strictEqual(world.relay.counters.connectionsDialled + world.relay.counters.dialsFailed, 0)
      })
  )
})
