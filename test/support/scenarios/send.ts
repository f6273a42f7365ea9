/** SEND between two parties: what is forwarded, and what of it the relay changes. */
import { assert } from "@effect/vitest"
import { createHash } from "node:crypto"
import { type Frame, header, nextId, request, send, summary, until } from "../harness.ts"
import { pattern } from "../Recorder.ts"
import { collectBody } from "./Body.ts"
import { ScenarioGroup } from "./ScenarioGroup.ts"

const sha256 = (octets: Buffer) => createHash("sha256").update(octets).digest("hex")

export const sends = new ScenarioGroup("SEND")
const { scenario } = sends

scenario(
  "goes both ways; a peer that connected in is never dialled (R4976-6.4.1-01..03, 6.4-14, 6.4-22)",
  function*(world) {
    const { alice, bob, bobUri } = yield* world.pair()
    const parties = [
      { at: bob, to: `${alice.usePath} ${alice.uri}`, from: bobUri, other: alice.peer, expected: alice.uri },
      { at: alice.peer, to: `${alice.usePath} ${bobUri}`, from: alice.uri, other: bob, expected: bobUri }
    ]
    for (const { at, expected, from, other, to } of [...parties, ...parties]) {
      const id = nextId()
      at.write(send({ id, to, from, body: "hello" }))
      const answer = yield* at.next
      assert.deepStrictEqual(
        [answer.id, answer.to, answer.from, summary(answer)],
        [id, from, alice.usePath, "200 | $"]
      )
      const frame = yield* other.next
      assert.notStrictEqual(frame.id, id)
      assert.deepStrictEqual([frame.to, frame.from], [expected, `${alice.usePath} ${from}`])
      assert.strictEqual(
        summary(frame),
        "SEND | Message-ID: msg.1 | Byte-Range: 1-5/5 | Content-Type: text/plain | [5] | $"
      )
      assert.strictEqual(frame.body!.toString(), "hello")
      other.answer(frame)
      yield* at.quiet
    }
    assert.strictEqual(world.relay.counters.connectionsDialled, 0)
  }
)

scenario(
  "dials the peer once, and keeps the connection (R4976-6.4.2-11, R4975-5.4-21, R4976-3-11)",
  function*(world) {
    const alice = yield* world.login()
    const carol = yield* world.login({ username: "carol" })
    const bob = yield* world.listen
    for (const [body, { peer, uri, usePath }] of [["1", alice], ["2", alice], ["3", carol]] as const) {
      peer.write(send({ to: `${usePath} ${bob.uri}`, from: uri, messageId: `msg.${body}`, body }))
    }
    assert.deepStrictEqual((yield* alice.peer.take(2)).map(summary), ["200 | $", "200 | $"])
    assert.deepStrictEqual((yield* carol.peer.next).status, 200)
    const bobPeer = yield* bob.accepted
    const frames = yield* bobPeer.take(3)
    assert.deepStrictEqual(frames.map(({ body }) => body!.toString()).sort(), ["1", "2", "3"])
    for (const frame of frames) bobPeer.answer(frame)
    const [first] = frames
    // what Bob sends goes back to her over the same connection
    bobPeer.write(send({ to: first!.from, from: bob.uri, body: "back" }))
    assert.strictEqual((yield* bobPeer.next).status, 200)
    const owner = first!.from.includes(alice.usePath) ? alice : carol
    assert.strictEqual((yield* owner.peer.next).body!.toString(), "back")
    assert.strictEqual(bob.peers.length, 1)
  }
)

scenario(
  "is copied octet for octet, unknown headers included (R4976-1-02, R4975-9-09, R4975-7.1-08)",
  function*(world) {
    const { alice, bob, bobUri } = yield* world.pair()
    const every = Buffer.from(Array.from({ length: 256 }, (_, octet) => octet))
    const odd = [
      "message-id: odd.1",
      "X-Odd:   blanks in \t front",
      "BYTE-RANGE: 1-256/256",
      "X-UTF-8: \xc3\xa4\xe2\x82\xac \xff\x80 octets",
      "X-Empty: ",
      "X-Twice: 1",
      "X-Twice: 2",
      "success-report: YES",
      "Content-Disposition: attachment; filename=\"a;b\"",
      "content-TYPE: message/cpim;charset=\"utf-8\""
    ]
    const parts = [
      { method: "SEND", headers: odd, body: every },
      {
        method: "SEND",
        headers: ["Message-ID: empty", "Byte-Range: 1-0/0", "Content-Type: text/plain"],
        body: ""
      },
      { method: "SEND", headers: ["Message-ID: none", "Byte-Range: 1-0/0"] },
      {
        method: "SEND",
        headers: ["Message-ID: content", "Byte-Range: 1-10/10", "Content-Type: text/plain"],
        body: "in range\r\n"
      },
      {
        method: "REPORT",
        headers: ["Message-ID: report", "Byte-Range: 7-9/99", "X-Odd: \xff", "Status: 000 200 OK"]
      },
      { method: "NICKNAME", headers: ["Use-Nickname: \"\xc3\xa4\" "] },
      { method: "X", headers: ["X-Y:z", "Content-Type: a/b"], body: every }
    ]
    for (const { method, ...rest } of parts) {
      alice.peer.write(request(method, { ...rest, to: `${alice.usePath} ${bobUri}`, from: alice.uri }))
      const frame = yield* bob.next
      const expected = request(method, {
        ...rest,
        id: frame.id,
        to: bobUri,
        from: `${alice.usePath} ${alice.uri}`
      })
      assert.strictEqual(frame.octets.toString("latin1"), expected.toString("latin1"))
    }
  }
)

scenario(
  "has a Byte-Range that is true for what leaves (R4975-7.1.1-13..15, 7.3.1-02, 7.3.1-03, R4976-6.4.1-30)",
  function*(world) {
    const { alice, bob, bobUri } = yield* world.pair()
    const cases: ReadonlyArray<readonly [range: string, octets: number, flag: string, expected: string]> = [
      ["1-*/*", 13, "$", "1-13/13"],
      ["1-*/*", 13, "+", "1-13/*"],
      ["14-*/20", 7, "$", "14-20/20"],
      ["5-99/200", 3, "+", "5-7/200"],
      ["5-6/200", 9, "+", "5-13/200"],
      ["1-2048/2048", 2048, "$", "1-2048/2048"],
      ["1-*/2048", 2048, "$", "1-2048/2048"],
      ["1-2049/2049", 2049, "$", "1-*/2049"],
      ["1-*/*", 2049, "$", "1-*/2049"],
      ["1-999999999999/999999999999", 10, "+", "1-10/999999999999"],
      // a total that the octets go beyond is none; where the message ends is told by its end
      ["1-5/5", 13, "$", "1-13/13"],
      ["1-5/5", 13, "+", "1-13/*"],
      ["3-*/5", 2049, "$", "3-*/2051"],
      // no octets in a body, and no body
      ["5-9/9", 0, "#", "5-4/9"],
      ["1-10/10", -1, "$", "1-0/10"],
      ["1-0/0", -1, "$", "1-0/0"]
    ]
    for (const [index, [range, octets, flag, expected]] of cases.entries()) {
      const body = pattern(Math.max(0, octets))
      alice.peer.write(send({
        to: `${alice.usePath} ${bobUri}`,
        from: alice.uri,
        messageId: `range${index}`,
        range,
        ...(octets < 0 ? {} : { body }),
        flag
      }))
      // a long one may come in pieces
      const pieces: Array<Frame> = []
      const passed = () => Buffer.concat(pieces.map((piece) => piece.body ?? Buffer.alloc(0)))
      do pieces.push(yield* bob.next)
      while (passed().length < octets)
      assert.isTrue(passed().equals(body))
      if (pieces.length === 1) assert.strictEqual(header(pieces[0]!, "Byte-Range"), expected, range)
      assert.strictEqual(pieces.at(-1)!.flag, flag)
    }
  }
)

scenario(
  "has a Byte-Range that came without one, whatever its length and flag (R4975-7.1.1-11, 7.3.1-05)",
  function*(world) {
    const { alice, bob, bobUri } = yield* world.pair()
    const paths = { to: `${alice.usePath} ${bobUri}`, from: alice.uri }
    for (const octets of [0, 1, 2048, 2049, 9000]) {
      for (const flag of ["$", "+", "#"]) {
        const headers = ["Message-ID: unnumbered", "Content-Type: text/plain"]
        alice.peer.write(request("SEND", { ...paths, headers, body: pattern(octets), flag }))
        const pieces = [yield* bob.next]
        const passed = () => pieces.reduce((sum, { body }) => sum + body!.length, 0)
        while (passed() < octets) pieces.push(yield* bob.next)
        assert.strictEqual(pieces.at(-1)!.flag, flag)
        const range = header(pieces[0]!, "Byte-Range")
        // Of a long one that leaves while it comes in, nobody knows the total yet.
        if (octets > 2048) assert.match(`${range}`, new RegExp(`^1-\\*/(${flag === "$" ? `${octets}|` : ""}\\*)$`))
        else assert.strictEqual(range, `1-${octets}/${flag === "$" ? octets : "*"}`)
      }
    }
  }
)

scenario(
  "in several chunks: each is answered, + $ and # stay (R4975-7.1-30..32, 7.3.1-04, X16)",
  function*(world) {
    const { alice, bob, bobUri } = yield* world.pair()
    const chunks = [
      ["one.", "1-4/12", "abcd", "+"],
      ["two.", "1-4/8", "ABCD", "+"],
      ["one.", "9-12/12", "ijkl", "$"],
      ["one.", "5-8/12", "efgh", "+"],
      ["two.", "5-*/8", "EF", "#"]
    ] as const
    for (const [messageId, range, body, flag] of chunks) {
      alice.peer.write(
        send({ to: `${alice.usePath} ${bobUri}`, from: alice.uri, messageId, range, body, flag })
      )
    }
    assert.deepStrictEqual((yield* alice.peer.take(5)).map(({ status }) => status), [200, 200, 200, 200, 200])
    const frames = yield* bob.take(5)
    assert.deepStrictEqual(
      frames.map((
        frame
      ) => [header(frame, "Message-ID"), header(frame, "Byte-Range"), frame.body?.toString(), frame.flag]),
      chunks.map(([id, range, body, flag]) => [id, range.replace("*", "6"), body, flag])
    )
    assert.strictEqual(new Set(frames.map(({ id }) => id)).size, 5)
  }
)

for (const way of ["to the owner", "from the owner"]) {
  scenario(
    `10 MB in one chunk ${way}: one 200, every octet, one $ (R4975-7.1-33, 7.1.1-12, 7.1-30)`,
    function*(world) {
      const { alice, bob, bobUri } = yield* world.pair()
      const [source, target, to, from] = way === "from the owner"
        ? [alice.peer, bob, `${alice.usePath} ${bobUri}`, alice.uri]
        : [bob, alice.peer, `${alice.usePath} ${alice.uri}`, bobUri]
      const body = pattern(10_000_000, 7)
      const got = collectBody(target)
      const id = nextId()
      source.write(send({ id, to, from, range: "1-*/10000000", body }))
      const answer = yield* source.next
      assert.deepStrictEqual([answer.id, answer.status], [id, 200])
      yield* until(() => got.octets >= body.length, "the message")
      let next = 1
      for (const { body, range, start } of got.pieces) {
        assert.strictEqual(start, next)
        assert.strictEqual(range, body.length > 2048 ? `${start}-*/10000000` : range)
        next += body.length
      }
      assert.strictEqual(sha256(Buffer.concat(got.pieces.map((piece) => piece.body))), sha256(body))
      assert.deepStrictEqual(
        got.pieces.map(({ flag }) => flag),
        [...Array(got.pieces.length - 1).fill("+"), "$"]
      )
      yield* source.quiet
    }
  )
}

scenario(
  "end-lines of other ids, and the relay's own choice of ids (R4975-7.1-09, 7.1-11, 7.1-12, X20)",
  function*(world) {
    const { alice, bob, bobUri } = yield* world.pair()
    const paths = { to: `${alice.usePath} ${bobUri}`, from: alice.uri }
    const decoys = "-------trXcky$\r\n-------tr.ckyX$\r\n-------TR.CKY$\r\n------tr.cky$\r\n-------tr.cky\r\nend\r\n"
    alice.peer.write(send({ ...paths, id: "tr.cky", body: decoys }))
    assert.strictEqual((yield* bob.next).body!.toString(), decoys)
    alice.peer.write(send({ ...paths, id: "abc+", range: "1-*/4", body: "ab", flag: "+" }))
    const frame = yield* bob.next
    assert.deepStrictEqual([frame.body!.toString(), frame.flag], ["ab", "+"])
    assert.deepStrictEqual((yield* alice.peer.take(2)).map(({ id }) => id), ["tr.cky", "abc+"])
  }
)

scenario(
  "without a body, to the relay itself: alive; with a body: refused (R4975-7.1-21)",
  function*(world) {
    const { peer, uri, usePath } = yield* world.login()
    const stranger = yield* world.connect
    for (const [failureReport, expected] of [["yes", "200 | $"], ["partial", ""], ["no", ""]] as const) {
      peer.write(send({ to: usePath, from: uri, failureReport }))
      if (expected !== "") assert.strictEqual(summary(yield* peer.next), expected)
      yield* peer.quiet
    }
    peer.write(send({ to: usePath, from: uri, body: "for you" }))
    assert.strictEqual(summary(yield* peer.next), "403 | $")
    stranger.write(send({ to: usePath, from: world.party() }))
    assert.strictEqual(summary(yield* stranger.next), "403 | $")
  }
)

scenario("both parties are clients of this relay (R4976-6.4-18, X22)", function*(world) {
  const alice = yield* world.login()
  const carol = yield* world.login({ username: "carol" })
  const pairs = [[alice, carol], [carol, alice], [alice, carol]] as const
  for (const [one, other] of pairs) {
    one.peer.write(send({ to: `${one.usePath} ${other.usePath} ${other.uri}`, from: one.uri, body: "hi" }))
    const answer = yield* one.peer.next
    assert.deepStrictEqual([answer.status, answer.to, answer.from], [200, one.uri, one.usePath])
    const frame = yield* other.peer.next
    assert.deepStrictEqual([frame.to, frame.from], [other.uri, `${other.usePath} ${one.usePath} ${one.uri}`])
    // the answer ends here; an error goes back as a REPORT from the first of the relay's URIs
    other.peer.answer(frame, "415")
    const report = yield* one.peer.next
    assert.deepStrictEqual([report.method, report.to, report.from], ["REPORT", one.uri, one.usePath])
    assert.strictEqual(header(report, "Status")!.slice(0, 7), "000 415")
    // and an end-to-end REPORT takes the way back over both
    const { from, to } = frame
    other.peer.write(
      request("REPORT", { to: from, from: to, headers: ["Message-ID: msg.1", "Status: 000 200 OK"] })
    )
    const success = yield* one.peer.next
    assert.deepStrictEqual(
      [success.method, success.to, success.from],
      ["REPORT", one.uri, `${one.usePath} ${other.usePath} ${other.uri}`]
    )
  }
  yield* alice.peer.quiet
  yield* carol.peer.quiet
  // a third client cannot come between them
  const third = yield* world.login()
  third.peer.write(send({ to: `${third.usePath} ${carol.usePath} ${carol.uri}`, from: third.uri, body: "x" }))
  assert.strictEqual((yield* third.peer.next).status, 506)
  yield* carol.peer.quiet
})

scenario(
  "both parties on one connection, and a way that leads back to oneself (X22, R4976-6.4-19)",
  function*(world) {
    const one = yield* world.login()
    const other = yield* world.login({ peer: one.peer })
    const { peer } = one
    const body = pattern(200_000).toString("latin1")
    peer.write(send({ to: `${one.usePath} ${other.usePath} ${other.uri}`, from: one.uri, body: "hi" }))
    assert.deepStrictEqual((yield* peer.take(2)).map(({ method, status }) => `${method}${status}`), [
      "200",
      "SEND0"
    ])
    const got = collectBody(peer)
    peer.write(
      send({ to: `${one.usePath} ${other.usePath} ${other.uri}`, from: one.uri, messageId: "long", body })
    )
    yield* until(() => got.octets === body.length && got.others.length === 1, "the long message and its answer")
    assert.strictEqual(Buffer.concat(got.pieces.map((piece) => piece.body)).toString("latin1"), body)
    peer.onFrame = undefined
    peer.write(send({ to: `${one.usePath} ${one.usePath} ${one.uri}`, from: one.uri, body: "round" }))
    assert.strictEqual(summary(yield* peer.next), "403 | $")
    peer.write(
      send({ to: `${one.usePath} ${other.usePath} ${one.usePath} ${one.uri}`, from: one.uri, body: "r" })
    )
    assert.strictEqual(summary(yield* peer.next), "403 | $")
  }
)
