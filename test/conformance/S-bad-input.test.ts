import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { defaultFrameLimits } from "../../src/protocol/FrameLimits.ts"
import { nextId, request, send, summary } from "../support/harness.ts"
import { group, pairOf, reported } from "./group.ts"

group("S. Bad input", ({ scenario }) => {
  scenario(
    "R4976-6.2-10: validity comes first: what is not well-formed is 400, whoever it is for",
    (world) =>
      Effect.gen(function*() {
        const { alice, bobUri } = yield* pairOf(world)
        const challenge = yield* world.challenge(alice.peer, alice.uri)
        const sessions = world.relay.gauges().sessions
        const bad = [
          request("AUTH", {
            to: world.uri,
            from: alice.uri,
            headers: [world.authorization(challenge), "Expires: soon"]
          }),
          request("SEND", {
            to: `${alice.usePath} ${bobUri}`,
            from: alice.uri,
            headers: ["Message-ID: x", "Byte-Range: 1-1"]
          }),
          request("SEND", { to: `nonsense ${bobUri}`, from: alice.uri, headers: ["Message-ID: m.01"] }),
          request("NICKNAME", { to: `${alice.usePath} ${bobUri} nonsense`, from: alice.uri })
        ]
        for (const octets of bad) {
          alice.peer.write(octets)
          assert.strictEqual(summary(yield* alice.peer.next), "400 | $")
        }
        assert.strictEqual(world.relay.gauges().sessions, sessions)
      })
  )

  scenario(
    "R4976-6.3-50: an unknown session-id: 481, or silence, and a request without success",
    (world) =>
      Effect.gen(function*() {
        const peer = yield* world.connect
        const from = world.party()
        const to = `${world.uri.replace(/;tcp$/, "/nobody;tcp")} msrp://bob.invalid:9/b;tcp`
        peer.write(send({ to, from, body: "12" }))
        assert.strictEqual(summary(yield* peer.next), "481 | $")
        peer.write(send({ to, from, failureReport: "partial", body: "12" }))
        assert.strictEqual(reported(yield* peer.next), "000 481 | 1-2/2")
        for (const method of ["NICKNAME", "AUTH", "DANCE"]) {
          peer.write(request(method, { to, from }))
          assert.strictEqual(summary(yield* peer.next), "481 | $")
        }
        peer.write(send({ to, from, failureReport: "no", body: "12" }))
        peer.write(request("REPORT", { to, from, headers: ["Message-ID: m.01", "Status: 000 200 OK"] }))
        // Seven came to nothing; the eighth is too many.
        assert.isFalse(peer.isClosed)
        peer.write(send({ to, from, body: "12" }))
        assert.strictEqual(summary(yield* peer.next), "481 | $")
        yield* peer.ends
      }),
    { limits: { unsuccessful: 8 } }
  )

  scenario("R4975-7.1-40: a body over 10240 octets in anything but SEND", (world) =>
    Effect.gen(function*() {
      const { alice, bob, forth, toBob } = yield* pairOf(world)
      for (const octets of [10_241, 200_000]) {
        const parts = { ...forth, body: Buffer.alloc(octets) }
        const id = nextId()
        alice.peer.write(request("NICKNAME", { ...parts, id, headers: ["Content-Type: a/b"] }))
        const answer = yield* alice.peer.next
        assert.deepStrictEqual([answer.id, answer.status], [id, 413])
        alice.peer.write(
          request("REPORT", { ...parts, headers: ["Message-ID: m.01", "Status: 000 200 OK", "Content-Type: a/b"] })
        )
        yield* alice.peer.quiet
      }
      alice.peer.write(toBob({ body: "next" }))
      assert.strictEqual((yield* bob.next).body!.toString(), "next")
    }))

  scenario(
    "R4975-7.1-40 R4975-7.1-16 R4975-7.1-13: also where its path ends, whole or in parts",
    (world) =>
      Effect.gen(function*() {
        const { alice } = yield* pairOf(world)
        const parts = { from: alice.uri, headers: ["Content-Type: a/b"], body: Buffer.alloc(10_241) }
        for (const [method, to] of [["AUTH", world.uri], ["NICKNAME", alice.usePath]] as const) {
          const octets = request(method, { ...parts, to })
          for (const at of [0, 300, 5000, octets.length - 1]) {
            alice.peer.write(octets.subarray(0, at))
            yield* Effect.yieldNow
            alice.peer.write(octets.subarray(at))
            assert.strictEqual(summary(yield* alice.peer.next), "413 | $")
          }
        }
      })
  )

  scenario(
    "R4975-9-21 R4975-9-73 R4975-7.2-03: without a To-Path that can be read the relay answers by a name of its own",
    (world) =>
      Effect.gen(function*() {
        const { alice } = yield* pairOf(world)
        const lines = (method: string, toPath: string) =>
          `MSRP nopath01 ${method}\r\n${toPath}From-Path: ${alice.uri}\r\nMessage-ID: m.01\r\n-------nopath01$\r\n`
        for (const toPath of ["", "To-Path: \r\n", "To-Path: nonsense\r\n", `To-Path: ${alice.usePath}#x\r\n`]) {
          for (const method of ["SEND", "NICKNAME", "AUTH"]) {
            alice.peer.write(lines(method, toPath))
            const answer = yield* alice.peer.next
            assert.deepStrictEqual(
              [answer.id, answer.status, answer.to, answer.from],
              ["nopath01", 400, alice.uri, world.uri]
            )
          }
          alice.peer.write(lines("REPORT", toPath))
        }
        // From-Path is still where the answer goes, wherever it stands.
        alice.peer.write(
          `MSRP nopath01 SEND\r\nFrom-Path: ${alice.uri}\r\nTo-Path: ${world.uri}\r\n-------nopath01$\r\n`
        )
        const answer = yield* alice.peer.next
        assert.deepStrictEqual([answer.status, answer.from], [400, world.uri])
        yield* alice.peer.quiet
      })
  )

  scenario(
    "R4975-7.2-03 R4975-7.2-04 R4975-7.2-05 R4975-7.2-06: a From-Path that cannot be read is answered as it came",
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, forth } = yield* pairOf(world)
        const zone = "msrp://[fe80::1%wlan0]:9/phone;tcp"
        const paths = [
          zone,
          "msrp://phone.invalid/no-transport",
          "msrp://phone.invalid:9/a%40b;tcp",
          `${alice.uri} ${zone}`,
          `${zone} ${alice.uri}`,
          Array(17).fill(alice.uri).join(" "),
          `msrp://${"h".repeat(3000)}.invalid:9/a;tcp`,
          "nobody"
        ]
        for (const from of paths) {
          const hop = from.split(" ")[0]!
          for (const body of ["hi", "x".repeat(150_000)]) {
            for (const failureReport of [undefined, "yes", "partial", "no"]) {
              const id = nextId()
              alice.peer.write(send({ ...forth, from, id, body, failureReport }))
              if (failureReport === "no") continue
              const answer = yield* alice.peer.next
              if (failureReport === "partial") {
                assert.deepStrictEqual([reported(answer), answer.to], [
                  `000 400 | 1-${body.length}/${body.length}`,
                  from
                ])
              } else {
                assert.deepStrictEqual(
                  [answer.id, summary(answer), answer.to, answer.from],
                  [id, "400 | $", hop, alice.usePath]
                )
              }
            }
          }
          for (const method of ["NICKNAME", "AUTH"]) {
            alice.peer.write(request(method, { ...forth, from }))
            const answer = yield* alice.peer.next
            assert.deepStrictEqual([summary(answer), answer.to, answer.from], ["400 | $", from, alice.usePath])
          }
          alice.peer.write(request("REPORT", { ...forth, from, headers: ["Message-ID: m.01", "Status: 000 200 OK"] }))
          yield* alice.peer.quiet
        }
        // No octet of it ends the line that it stands in.
        for (const octet of ["\0", "\n", "\r", "\x7f"]) {
          alice.peer.write(request("SEND", { ...forth, from: `msrp://x:9/a${octet}To-Path:;tcp` }))
          assert.strictEqual((yield* alice.peer.next).to, "msrp://x:9/a?To-Path:;tcp")
        }
        yield* alice.peer.quiet
        yield* bob.quiet
      })
  )

  scenario(
    "R4976-9.3-06 R4976-9.3-07 R4975-9-70: a header section over a limit is answered where From-Path was read, then the connection ends",
    (world) =>
      Effect.gen(function*() {
        const { headerLine, headers } = defaultFrameLimits
        const long = `X: ${"x".repeat(headerLine)}`
        const cases: ReadonlyArray<readonly [method: string, lines: ReadonlyArray<string>, status: number]> = [
          ["SEND", [long], 413],
          ["SEND", ["Failure-Report: partial", "Message-ID: m.01", long], 413],
          ["SEND", Array(3).fill(`X: ${"x".repeat(headerLine - 10)}`), 413],
          ["NICKNAME", Array(headers).fill("X: y"), 413],
          ["AUTH", [`Authorization: Digest ${"x".repeat(headerLine)}`], 413],
          ["SEND", ["Failure-Report: no", long], 0],
          // What is too long says nothing any more.
          ["SEND", [`Failure-Report: ${" ".repeat(headerLine)}no`], 413],
          ["REPORT", ["Message-ID: m.01", "Status: 000 200 OK", long], 0]
        ]
        for (const [method, lines, status] of cases) {
          const { alice, bob, forth } = yield* pairOf(world)
          const id = nextId()
          alice.peer.write(request(method, { ...forth, id, headers: lines }))
          if (status !== 0) {
            const answer = yield* alice.peer.next
            assert.deepStrictEqual(
              [answer.id, answer.status, answer.to, answer.from],
              [id, status, alice.uri, alice.usePath],
              `${method} ${lines[0]!.slice(0, 30)}`
            )
          }
          yield* alice.peer.ends
          yield* bob.quiet
        }
        // Whom would it be answered to.
        const { alice, forth } = yield* pairOf(world)
        alice.peer.write(request("SEND", { ...forth, from: "x".repeat(headerLine) }))
        yield* alice.peer.ends
        assert.strictEqual(world.relay.counters.framingLost, cases.length + 1)
      })
  )

  scenario(
    "R4975-7.1.2-03 R4976-6.4.1-17: Failure-Report partial and no Message-ID for a REPORT: a response",
    (world) =>
      Effect.gen(function*() {
        const { alice, forth } = yield* pairOf(world)
        const rest = ["Failure-Report: partial", "Content-Type: text/plain"]
        for (const headers of [rest, ["Message-ID: a b", ...rest]]) {
          const id = nextId()
          alice.peer.write(request("SEND", { ...forth, id, headers, body: "hi" }))
          const answer = yield* alice.peer.next
          assert.deepStrictEqual([answer.id, summary(answer)], [id, "400 | $"])
        }
      })
  )

  scenario(
    "R4975-10.2-01 R4975-7.1.4-01: Failure-Report no silences whatever request it stands in",
    (world) =>
      Effect.gen(function*() {
        const { alice, forth } = yield* pairOf(world)
        for (const method of ["SEND", "NICKNAME", "AUTH", "REPORT"]) {
          alice.peer.write(
            request(method, { ...forth, headers: ["Message-ID: m.01", "Failure-Report: no", "no colon"] })
          )
          yield* alice.peer.quiet
        }
      })
  )

  for (
    const [what, octets] of [
      ["lost framing", "GET / HTTP/1.1\r\n\r\n"],
      [
        "a request for another relay",
        request("SEND", { to: "msrp://elsewhere.example:2855/x;tcp", from: "msrp://a.invalid:9/a;tcp" })
      ]
    ] as const
  ) {
    scenario(
      `R4975-9-70 R4976-6.2-11 R4976-6.3-52 R4976-6.4.1-01: the answers to what came before ${what} arrive, then the end`,
      (world) =>
        Effect.gen(function*() {
          const { alice, bob, toBob } = yield* pairOf(world)
          alice.peer.write(Buffer.concat([toBob({ body: "good" }), Buffer.from(octets)]))
          assert.strictEqual(summary(yield* alice.peer.next), "200 | $")
          yield* alice.peer.ends
          assert.strictEqual((yield* bob.next).body!.toString(), "good")
        })
    )
  }

  // The input table, one cell each: what is sent, by whom, and what comes back.
  const methods = ["SEND yes", "SEND partial", "SEND no", "REPORT", "AUTH", "NICKNAME"] as const
  const status: Readonly<Record<string, ReadonlyArray<string>>> = {
    "a To-Path without its own URI's session (bare)": ["481", "R481", "", "", "403", "481"],
    "an unknown session-id": ["481", "R481", "", "", "481", "481"],
    "neither from the owner nor to the owner": ["403", "R403", "", "", "403", "403"],
    "a second stranger": ["506", "R506", "", "", "506", "506"],
    "a path that ends at the relay": ["403", "R403", "", "", "403", "501"],
    "a header section that is broken": ["400", "R400", "", "", "400", "400"]
  }
  for (const [input, cells] of Object.entries(status)) {
    for (const [index, method] of methods.entries()) {
      scenario(
        `R4976-6.2-11 R4976-6.4-13 R4975-9-72: ${method}, ${input}: ${cells[index] || "nothing"}`,
        (world) =>
          Effect.gen(function*() {
            const { alice, bobUri } = yield* pairOf(world)
            const stranger = yield* world.connect
            const bare = input.includes("bare")
            const first = bare
              ? world.uri
              : input.includes("unknown")
              ? alice.usePath.replace(/[^/]+;tcp$/, "nobody;tcp")
              : alice.usePath
            const second = input.includes("second")
              ? alice.uri
              : input.includes("neither")
              ? bobUri
              : input.includes("ends")
              ? ""
              : alice.uri
            const broken = input.includes("broken") ? ["no header field"] : []
            const to = `${first} ${second}`.trim()
            const from = "msrp://stranger.invalid:9/s;tcp"
            const [name, failureReport] = method.split(" ")
            const headers = name === "SEND"
              ? [
                "Message-ID: m.01",
                "Byte-Range: 1-2/2",
                `Failure-Report: ${failureReport}`,
                ...broken,
                "Content-Type: text/plain"
              ]
              : name === "REPORT"
              ? ["Message-ID: m.01", "Byte-Range: 1-2/2", "Status: 000 413 x", ...broken]
              : broken
            const id = nextId()
            stranger.write(request(name!, { id, to, from, headers, ...(name === "SEND" ? { body: "hi" } : {}) }))
            const cell = cells[index]!
            if (cell.startsWith("R")) {
              const report = yield* stranger.next
              assert.deepStrictEqual([report.method, report.to], ["REPORT", from])
              assert.include(summary(report), `000 ${cell.slice(1)}`)
            } else if (cell !== "") {
              const answer = yield* stranger.next
              assert.deepStrictEqual([answer.id, answer.status, answer.to], [id, Number(cell), from])
            }
            yield* stranger.quiet
            yield* alice.peer.quiet
            assert.strictEqual(world.relay.counters.connectionsDialled, 0)
          })
      )
    }
  }

  for (const method of methods) {
    scenario(`R4976-6.2-11: ${method} for another relay: the connection ends`, (world) =>
      Effect.gen(function*() {
        const peer = yield* world.connect
        const [name, failureReport] = method.split(" ")
        const headers = name === "SEND" ? ["Message-ID: m.01", `Failure-Report: ${failureReport}`] : []
        const to = "msrp://elsewhere.example:2855/x;tcp msrp://bob.invalid:9/b;tcp"
        peer.write(request(name!, { to, from: world.party(), headers }))
        yield* peer.ends
        assert.strictEqual(world.relay.counters.connectionsDialled, 0)
      }))
  }
})
