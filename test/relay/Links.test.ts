/** Connections that several sessions share: what one session's receiver does costs that session only. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import type { NoCommonAlgorithm } from "../../src/Authenticator.ts"
import { defaultFrameLimits } from "../../src/protocol/FrameLimits.ts"
import { parseUri } from "../../src/protocol/Uri.ts"
import { ANSWERED_WITHIN } from "../../src/relay/outbound/Window.ts"
import { TestNetwork, Transport, type TransportError } from "../../src/Transport.ts"
import {
  collect,
  type Frame,
  header,
  makeWorld,
  type Owner,
  request,
  response,
  send,
  until,
  World,
  type WorldOptions
} from "../support/harness.ts"
import { pattern } from "../support/Recorder.ts"
import { sharedConnection } from "../support/sessions.ts"

const { headerLine, headerSection, headers, startLine } = defaultFrameLimits

/** A relay on a machine of its own, with a certificate for its name; its clients are elsewhere. */
const relayAt = Effect.fnUntraced(function*(name: string, limits: WorldOptions["limits"]) {
  const outside = yield* Transport
  const { node } = yield* TestNetwork
  const world = yield* makeWorld({
    scheme: "msrps",
    listen: [{ scheme: "msrps", host: name, port: 2855 }],
    uris: [parseUri(`msrps://${name}:2855;tcp`)!],
    nextHops: { allow: ["*.example.net"] },
    limits: { ...limits }
  }).pipe(Effect.provideService(Transport, node({ names: [name], certificate: [name] })))
  const { change, errors, log, network, relay, repository, scheme, sessions } = world
  return new World({ change, errors, log, network, relay, repository, scheme, sessions, transport: outside })
})

interface Links {
  readonly near: World
  readonly far: World
  /** Senders at the near relay, and whom each of them writes to, by way of the link, at the far one. */
  readonly pairs: ReadonlyArray<{ readonly from: Owner; readonly to: Owner; readonly path: string }>
}

const linked = Effect.fnUntraced(function*(pairs: number, limits: WorldOptions["limits"] = {}) {
  const near = yield* relayAt("near.example.net", limits)
  const far = yield* relayAt("far.example.net", limits)
  const made: Array<Links["pairs"][number]> = []
  for (let i = 0; i < pairs; i++) {
    const from = yield* near.login()
    const to = yield* far.login()
    made.push({ from, to, path: `${from.usePath} ${to.usePath} ${to.uri}` })
  }
  return { near, far, pairs: made } satisfies Links
})

const scenario = (
  title: string,
  body: Effect.Effect<Links, TransportError | NoCommonAlgorithm, Transport | TestNetwork | Scope.Scope>
): void =>
  it.effect(title, () =>
    Effect.gen(function*() {
      const { far, near } = yield* body
      const { connections, cut } = yield* TestNetwork
      connections().forEach(cut)
      yield* near.done
      yield* far.done
    }).pipe(Effect.provide(Transport.layerTest({ window: 65_536 }))))

/** Answers all that comes; how many SENDs did. */
const answering = (owner: Owner) => {
  const seen = { sends: 0 }
  owner.peer.onFrame = (frame) => {
    if (frame.method !== "SEND") return
    seen.sends++
    owner.peer.answer(frame)
  }
  return seen
}

/** Writes a message as soon as the one before was answered. */
const waiting = (from: Owner, path: string, body: Buffer) => {
  const state = { answered: 0, reports: [] as Array<string>, stopped: false }
  const next = (): void => {
    if (!state.stopped) {
      from.peer.write(send({ to: path, from: from.uri, messageId: `message.${state.answered}`, body }))
    }
  }
  from.peer.onFrame = (frame) => {
    if (frame.method === "REPORT") state.reports.push(header(frame, "Status")!.slice(0, 7))
    else {
      assert.oneOf(frame.status, [200, 408])
      state.answered++
      next()
    }
  }
  next()
  return state
}

describe("a link between two relays", () => {
  scenario(
    "R4976-9.3-05: goes on for nine sessions while the receiver of the tenth reads nothing, and is not closed",
    Effect.gen(function*() {
      const links = yield* linked(10)
      const [frozen, ...others] = links.pairs
      const seen = others.map(({ to }) => answering(to))
      frozen!.to.peer.connection.pause()
      const stuck = waiting(frozen!.from, frozen!.path, pattern(60_000))
      const states = others.map(({ from, path }) => waiting(from, path, pattern(1000)))
      // Each turn of the others is one round trip. Nothing of this takes time on the clock.
      yield* until(() => states.every(({ answered }) => answered >= 20), "20 messages of each")
      assert.isBelow(Math.max(...states.map(({ answered }) => answered)), 40, "all alike")
      // Who waits for answers is slowed down, within the bound of his session.
      yield* until(() => links.far.relay.gauges().bufferedOctets > 0)
      assert.isBelow(links.far.relay.gauges().bufferedOctets, 2 * 262_144)
      const before = states.map(({ answered }) => answered)
      yield* TestClock.adjust("40 seconds")
      yield* until(() => states.every(({ answered }, i) => answered >= before[i]! + 20), "and 20 more")
      assert.isAbove(stuck.reports.length, 0)
      // After the stall limit his connection is closed, and the session ends.
      assert.includeMembers(["000 408", "000 481"], [...new Set(stuck.reports)])
      for (const state of states) {
        state.stopped = true
        assert.deepStrictEqual(state.reports, [])
      }
      stuck.stopped = true
      yield* until(() => states.every(({ answered }, i) => seen[i]!.sends === answered))
      // The link is the one that it was, and serves who comes now.
      const link = links.near.relay.counters.connectionsDialled
      assert.strictEqual(link, 1)
      return links
    })
  )

  scenario(
    "R4976-9.3-05: fails what one session has too much of that waits for nothing, and holds nobody else for that",
    Effect.gen(function*() {
      const links = yield* linked(3, { relayed: 100_000 })
      const [frozen, ...others] = links.pairs
      others.forEach(({ to }) => answering(to))
      frozen!.to.peer.connection.pause()
      const reports: Array<string> = []
      frozen!.from.peer.onFrame = (frame) => {
        if (frame.method === "REPORT") reports.push(header(frame, "Status")!.slice(0, 7))
      }
      const states = others.map(({ from, path }) => waiting(from, path, pattern(1000)))
      yield* until(() => states.every(({ answered }) => answered >= 10))
      // Without responses the near relay does not know that the far one has too much.
      for (let i = 0; i < 100; i++) {
        frozen!.from.peer.write(
          send({
            to: frozen!.path,
            from: frozen!.from.uri,
            messageId: `many.${i}`,
            body: pattern(8000),
            failureReport: "partial"
          })
        )
      }
      yield* until(() => reports.length > 10, "reports")
      assert.isTrue(reports.every((status) => status === "000 408"))
      yield* until(() => states.every(({ answered }) => answered >= 200), "the others")
      states.forEach((state) => void (state.stopped = true))
      // It moves, and is sent to again.
      const seen = answering(frozen!.to)
      frozen!.to.peer.connection.resume()
      yield* (yield* TestNetwork).settled
      const before = seen.sends
      frozen!.from.peer.write(send({ to: frozen!.path, from: frozen!.from.uri, messageId: "again", body: "again" }))
      yield* until(() => seen.sends > before, "a message after all")
      return links
    })
  )

  for (const method of ["SEND", "NICKNAME"]) {
    scenario(
      `R4976-9.3-05 R4976-9.3-06: goes on for others while one session has more ${method}s without an answer than it may`,
      Effect.gen(function*() {
        const links = yield* linked(2, { transactions: 20 })
        const [mute, other] = links.pairs
        const seen = answering(other!.to)
        let got = 0
        mute!.to.peer.onFrame = () => void got++
        for (let i = 0; i < 100; i++) {
          const { from: { peer, uri: from }, path: to } = mute!
          if (method === "SEND") {
            peer.write(send({ to, from, messageId: `many.${i}`, body: `${i}`, failureReport: "partial" }))
          } else {
            const id = `nickname${i}`
            peer.write(`MSRP ${id} NICKNAME\r\nTo-Path: ${to}\r\nFrom-Path: ${from}\r\n-------${id}$\r\n`)
          }
        }
        // Nobody answers a SEND with Failure-Report partial that arrives: it is held for nothing.
        yield* until(() => got === (method === "SEND" ? 100 : 20), "as many as may be")
        yield* (yield* TestNetwork).settled
        const state = waiting(other!.from, other!.path, pattern(1000))
        yield* until(() => seen.sends >= 50, "the other session")
        state.stopped = true
        assert.strictEqual(got, method === "SEND" ? 100 : 20)
        return links
      })
    )
  }

  for (const again of [false, true]) {
    scenario(
      `R4976-6.4.1-13: what was accepted and fails when it is cut is reported by ${
        again ? "the one" : "a new one"
      } after it`,
      Effect.gen(function*() {
        const links = yield* linked(2)
        const [lost, other] = links.pairs
        answering(other!.to)
        const { from, path, to } = lost!
        from.peer.write(send({ id: "accepted", to: path, from: from.uri, messageId: "accepted", body: "hello" }))
        assert.strictEqual((yield* from.peer.next).status, 200)
        yield* to.peer.next
        // The near relay has its answer, too.
        yield* until(() => links.near.relay.gauges().transactions === 0)
        const { connections, cut, peer, settled } = yield* TestNetwork
        const clients = new Set([from, to, other!.from, other!.to].map((one) => one.peer.connection))
        connections().filter((one) => !clients.has(one) && !clients.has(peer(one))).forEach(cut)
        yield* settled
        const state = again ? waiting(other!.from, other!.path, pattern(10)) : undefined
        if (state !== undefined) yield* until(() => state.answered > 0)
        yield* to.peer.close
        const report = yield* from.peer.next
        assert.deepStrictEqual([report.method, header(report, "Message-ID")], ["REPORT", "accepted"])
        assert.strictEqual(header(report, "Status")?.slice(0, 7), "000 408")
        if (state !== undefined) state.stopped = true
        return links
      })
    )
  }

  scenario(
    "R4976-9.3-05: is held for two seconds at most for its only session, since others may come at any time",
    Effect.gen(function*() {
      const links = yield* linked(2, { relayed: 100_000 })
      const [frozen, other] = links.pairs
      answering(other!.to)
      frozen!.to.peer.connection.pause()
      for (let i = 0; i < 100; i++) {
        frozen!.from.peer.write(
          send({
            to: frozen!.path,
            from: frozen!.from.uri,
            messageId: `many.${i}`,
            body: pattern(8000),
            failureReport: "no"
          })
        )
      }
      yield* (yield* TestNetwork).settled
      const state = waiting(other!.from, other!.path, pattern(1000))
      const seen = answering(other!.to)
      yield* (yield* TestNetwork).settled
      assert.strictEqual(seen.sends, 0, "it is held")
      yield* TestClock.adjust(2000)
      yield* until(() => seen.sends >= 50, "the other session")
      state.stopped = true
      return links
    })
  )

  scenario(
    "R4976-6.4.1-01 R4976-6.4.1-06: what the far relay holds for a receiver that was silent for 29 seconds is not reported by the near one",
    Effect.gen(function*() {
      const links = yield* linked(1)
      const { from, path, to } = links.pairs[0]!
      const [arrived, answered, reported] = [new Set<string>(), new Set<string>(), new Array<string>()]
      let silent = true
      to.peer.onFrame = (frame) => {
        if (frame.method !== "SEND") return
        const id = header(frame, "Message-ID")!
        arrived.add(id)
        if (silent) return
        answered.add(id)
        to.peer.answer(frame)
      }
      from.peer.onFrame = (frame) => {
        if (frame.method === "REPORT") reported.push(header(frame, "Message-ID")!)
        else assert.strictEqual(frame.status, 200)
      }
      const ids = Array.from({ length: 110 }, (_, i) => `message.${i}`)
      for (const messageId of ids) {
        from.peer.write(send({ to: path, from: from.uri, messageId, body: pattern(2000) }))
      }
      yield* links.near.network!.settled
      yield* TestClock.adjust("29 seconds")
      silent = false
      const early = new Set(arrived)
      for (let i = 0; i < 40; i++) {
        yield* TestClock.adjust("1 second")
        yield* links.near.network!.settled
      }
      // What was there before is reported when it was not answered, and all the rest arrives.
      assert.deepStrictEqual(reported.toSorted(), [...early].toSorted())
      assert.deepStrictEqual([...answered], ids.filter((id) => !early.has(id)))
      assert.isAbove(answered.size, 0)
      return links
    })
  )
})

/** What is still read here, and not any more by a relay that has it from here: `to` is the path, and `from` the URI. */
const atTheLimit: Record<string, (to: string, from: string) => { readonly octets: Buffer; readonly status: number }> = {
  "a From-Path": (to, from) => {
    const more = (octets: number): string =>
      ` msrp://x.invalid:9/${"x".repeat(octets - " msrp://x.invalid:9/;tcp".length)};tcp`
    const left = headerLine - "From-Path: \r\n".length - from.length
    const long = from + more(2000).repeat(3) + more(left - 6000 - 100) + more(100)
    return { octets: send({ id: "limit", to, from: long, body: "x" }), status: 413 }
  },
  "a header section": (to, from) => {
    const lines = (octets: number) => [`X: ${"x".repeat(8000)}`, `X: ${"x".repeat(octets)}`]
    const least = send({ id: "limit", to, from, body: "x", headers: lines(0) }).indexOf("\r\n\r\n") + 2
    const octets = send({ id: "limit", to, from, body: "x", headers: lines(headerSection - least) })
    return { octets, status: 413 }
  },
  // Byte-Range comes to it.
  "the number of headers": (to, from) => {
    const lines = [...Array<string>(headers - 4).fill("X: x"), "Message-ID: limit", "Content-Type: text/plain"]
    return { octets: request("SEND", { to, from, headers: lines, body: "x" }), status: 413 }
  },
  "a method": (to, from) => ({
    octets: request("X".repeat(startLine - "MSRP name \r\n".length), { id: "name", to, from }),
    status: 413
  })
}

describe("what another relay adds to a request", () => {
  for (const [what, of] of Object.entries(atTheLimit)) {
    scenario(
      `R4976-9.3-06 R4976-6.4.2-08: ${what} at its limit ends no link, and its sender is told`,
      Effect.gen(function*() {
        const links = yield* linked(2)
        const [long, other] = links.pairs
        answering(long!.to)
        answering(other!.to)
        const state = waiting(other!.from, other!.path, pattern(1000))
        yield* until(() => state.answered > 10)
        const statuses: Array<number> = []
        long!.from.peer.onFrame = (frame) => {
          statuses.push(frame.method === "REPORT" ? Number(header(frame, "Status")!.slice(4, 7)) : frame.status)
        }
        const { octets, status } = of(long!.path, long!.from.uri)
        long!.from.peer.write(octets)
        yield* until(() => statuses.includes(status), "an answer")
        const { answered } = state
        yield* until(() => state.answered > answered + 10, "the other session")
        state.stopped = true
        assert.deepStrictEqual(state.reports, [])
        assert.strictEqual(links.near.relay.counters.connectionsDialled, 1)
        assert.deepStrictEqual([links.near, links.far].map(({ relay }) => relay.counters.framingLost), [0, 0])
        return links
      })
    )
  }

  scenario(
    "R4976-9.3-06 R4976-6.4.2-08: a request at its limit ends no link either when it is the first there",
    Effect.gen(function*() {
      const links = yield* linked(2)
      const [long, other] = links.pairs
      long!.from.peer.write(atTheLimit["a header section"]!(long!.path, long!.from.uri).octets)
      assert.deepStrictEqual((yield* long!.from.peer.take(2)).map(({ method, status }) => method || status), [
        200,
        "REPORT"
      ])
      other!.from.peer.write(send({ to: other!.path, from: other!.from.uri }))
      assert.strictEqual((yield* other!.to.peer.next).method, "SEND")
      assert.strictEqual(links.near.relay.counters.connectionsDialled, 1)
      return links
    })
  )

  scenario(
    "R4976-9.3-06 R4976-6.4.3-01: an answer whose From-Path was at its limit before the far relay stood in it ends no link",
    Effect.gen(function*() {
      const links = yield* linked(2)
      const [long, other] = links.pairs
      answering(other!.to)
      long!.to.peer.onFrame = (frame) => {
        const uris = ` msrp://x.invalid:9/${"x".repeat(1976)};tcp`.repeat(3)
        const left = headerLine - "From-Path: \r\n".length - frame.to.length - uris.length - 24
        const path = `${frame.to}${uris} msrp://x.invalid:9/${"x".repeat(left)};tcp`
        long!.to.peer.write(response(frame.from, path, frame.id, "200 OK"))
      }
      const state = waiting(other!.from, other!.path, pattern(1000))
      long!.from.peer.write(request("NICKNAME", { to: long!.path, from: long!.from.uri }))
      yield* until(() => state.answered > 20)
      state.stopped = true
      yield* (yield* TestNetwork).settled
      assert.deepStrictEqual(state.reports, [])
      assert.deepStrictEqual([links.near, links.far].map(({ relay }) => relay.counters.framingLost), [0, 0])
      yield* TestClock.adjust("30 seconds")
      return links
    })
  )

  scenario(
    "R4976-6.4.3-01: 481 from a client is not taken for one of its relay: the client is sent nothing again",
    Effect.gen(function*() {
      const links = yield* linked(2)
      const [first, second] = links.pairs
      const seen = answering(first!.to)
      first!.from.peer.write(send({ to: first!.path, from: first!.from.uri, body: "hi" }))
      yield* until(() => seen.sends === 1)
      const { from, path, to } = second!
      const got: Array<string> = []
      to.peer.onFrame = (frame) => {
        got.push(frame.method)
        if (frame.method === "NICKNAME") to.peer.answer(frame, "481 No Such Session", "whole")
      }
      // It has no answer that would tell that the far relay has taken it.
      from.peer.write(send({ to: path, from: from.uri, failureReport: "no", body: "hi" }))
      from.peer.write(request("NICKNAME", { to: path, from: from.uri }))
      assert.strictEqual((yield* from.peer.next).status, 481)
      yield* (yield* TestNetwork).settled
      assert.deepStrictEqual(got, ["SEND", "NICKNAME"])
      assert.strictEqual(links.near.relay.counters.connectionsDialled, 1)
      return links
    })
  )
})

/** The body of a message, from what its receiver got. */
const bodyOf = (frames: ReadonlyArray<Frame>, messageId: string): Buffer =>
  Buffer.concat(frames.filter((frame) => header(frame, "Message-ID") === messageId).map((frame) => frame.body!))

/** Alice sends a whole message, whose body this is, and the beginning of another. */
const wholeAndCut = (alice: Owner, bobUri: string, failureReport?: string): Buffer => {
  const body = pattern(200_000)
  const parts = { to: `${alice.usePath} ${bobUri}`, from: alice.uri, body }
  alice.peer.write(send({ ...parts, messageId: "whole", failureReport }))
  alice.peer.write(send({ ...parts, messageId: "cut", range: "1-*/200000" }).subarray(0, 60_000))
  return body
}

describe("a client's connection with several sessions", () => {
  it.effect("what was accepted is still sent after the connection has closed", () =>
    Effect.gen(function*() {
      const world = yield* makeWorld()
      const { alice, bob, bobUri, other, second } = yield* sharedConnection(world)
      const network = yield* TestNetwork
      alice.peer.write(send({ to: `${second.usePath} ${other.bobUri}`, from: second.uri, body: "hi" }))
      other.bob.answer(yield* other.bob.next)
      bob.connection.pause()
      const body = wholeAndCut(alice, bobUri, "no")
      yield* network.settled
      // The end of what is cut is one too much.
      world.change({ limits: { session: world.relay.gauges().parkedOctets } })
      yield* alice.peer.close
      yield* network.settled
      yield* TestClock.adjust("3 seconds")
      const frames = collect(bob)
      bob.connection.resume()
      yield* network.settled
      assert.isTrue(bodyOf(frames, "whole").equals(body))
      assert.strictEqual(world.relay.counters.receiversGivenUp, 0)
      yield* world.done
    }).pipe(Effect.provide(Transport.layerTest({ window: 8192 }))))

  it.effect("no receiver is given up after the connection has closed, however long it was silent", () =>
    Effect.gen(function*() {
      const world = yield* makeWorld()
      const { alice, bob, bobUri, other, second } = yield* sharedConnection(world)
      const network = yield* TestNetwork
      alice.peer.write(send({ to: `${second.usePath} ${other.bobUri}`, from: second.uri, body: "hi" }))
      other.bob.answer(yield* other.bob.next)
      const frames: Array<Frame> = []
      bob.onFrame = (frame) => void frames.push(frame)
      const body = wholeAndCut(alice, bobUri)
      yield* network.settled
      world.change({ limits: { session: world.relay.gauges().parkedOctets } })
      yield* TestClock.adjust("3 seconds")
      // Time is looked at when octets come.
      other.bob.write(send({ to: `${second.usePath} ${second.uri}`, from: other.bobUri, body: "hi" }))
      yield* network.settled
      yield* alice.peer.close
      yield* network.settled
      for (let done = 0; done < frames.length; done++) {
        bob.answer(frames[done]!)
        yield* network.settled
      }
      assert.isTrue(bodyOf(frames, "whole").equals(body))
      assert.strictEqual(world.relay.counters.receiversGivenUp, 0)
      yield* world.done
    }).pipe(Effect.provide(Transport.layerTest())))

  it.effect(
    "R4976-9.3-05: is held for two seconds at most for a receiver that reads nothing; messages to that receiver fail",
    () =>
      Effect.gen(function*() {
        const world = yield* makeWorld()
        const { alice, bob, bobUri, other, second } = yield* sharedConnection(world)
        answering({ ...second, peer: other.bob })
        bob.connection.pause()
        const statuses = new Map<string, Array<string>>()
        alice.peer.onFrame = (frame) => {
          const about = frame.method === "REPORT" ? header(frame, "Message-ID")! : frame.id
          const status = frame.method === "REPORT" ? header(frame, "Status")!.slice(4, 7) : String(frame.status)
          statuses.set(about, [...(statuses.get(about) ?? []), status])
        }
        const flood = (count: number, name: string) => {
          const to = `${alice.usePath} ${bobUri}`
          for (let i = 0; i < count; i++) {
            const messageId = `${name}.${i}`
            alice.peer.write(send({ id: messageId, to, from: alice.uri, messageId, body: pattern(10_000) }))
          }
        }
        const small = (id: string) =>
          alice.peer.write(
            send({ id, to: `${second.usePath} ${other.bobUri}`, from: second.uri, messageId: id, body: "small" })
          )
        small("before")
        flood(100, "flood")
        small("behind")
        yield* world.network!.settled
        assert.deepStrictEqual(statuses.get("before"), ["200"])
        assert.isUndefined(statuses.get("behind"), "it is held")
        yield* TestClock.adjust(2000)
        yield* until(() => statuses.has("behind"), "the other session")
        assert.deepStrictEqual(statuses.get("behind"), ["200"])
        // Everything has its fate: what was accepted is reported or on its way, what came after that was refused.
        const fates = Array.from({ length: 100 }, (_, i) => statuses.get(`flood.${i}`)!.join(" "))
        assert.includeMembers(["200", "200 408", "408 200", "408"], [...new Set(fates)])
        assert.isAbove(fates.filter((one) => one === "200 408").length, 10)
        assert.strictEqual(fates.at(-1), "408")
        assert.strictEqual(world.relay.counters.receiversGivenUp, 1)
        flood(1, "still")
        yield* until(() => statuses.has("still.0"))
        assert.deepStrictEqual(statuses.get("still.0"), ["408"])
        small("later1")
        yield* until(() => statuses.has("later1"))
        // It reads again, and is sent to again.
        const seen = answering({ ...alice, peer: bob })
        bob.connection.resume()
        yield* world.network!.settled
        assert.isAtLeast(seen.sends, fates.filter((one) => one === "200").length)
        flood(1, "again")
        yield* until(() => statuses.has("again.0"))
        assert.deepStrictEqual(statuses.get("again.0"), ["200"])
        yield* world.done
      }).pipe(Effect.provide(Transport.layerTest({ window: 65_536 })))
  )

  /** Alice has a second session, in which somebody has written to her, and sends a lot in the first one. */
  const quiet = Effect.fnUntraced(function*(world: World) {
    const { alice, bob, bobUri, other, second } = yield* sharedConnection(world)
    answering({ ...second, peer: other.bob })
    const heard = { small: 0, answers: 0, reports: [] as Array<string> }
    alice.peer.onFrame = (frame) => {
      if (frame.method === "REPORT") heard.reports.push(header(frame, "Status")!.slice(0, 7))
      else if (frame.id === "small") heard.small = frame.status
      else heard.answers++
    }
    const flood = (): void => {
      for (let i = 0; i < 100; i++) {
        const messageId = `flood.${i}`
        const to = `${alice.usePath} ${bobUri}`
        alice.peer.write(send({ to, from: alice.uri, messageId, body: pattern(10_000) }))
      }
      const to = `${second.usePath} ${other.bobUri}`
      alice.peer.write(send({ id: "small", to, from: second.uri, messageId: "small", body: "small" }))
    }
    return { bob, heard, flood }
  })

  it.effect("R4976-9.3-05: is held for sixteen seconds at most, also when only others have written in the second one", () =>
    Effect.gen(function*() {
      const world = yield* makeWorld()
      const { bob, flood, heard } = yield* quiet(world)
      bob.connection.pause()
      flood()
      yield* world.network!.settled
      yield* TestClock.adjust(ANSWERED_WITHIN - 1)
      assert.strictEqual(heard.small, 0, "it is held")
      yield* TestClock.adjust(1)
      yield* until(() => heard.small === 200, "the other session")
      assert.strictEqual(world.relay.counters.receiversGivenUp, 1)
      yield* world.done
    }).pipe(Effect.provide(Transport.layerTest({ window: 65_536 }))))

  it.effect("R4976-9.3-05: waits up to a minute for a slow receiver that makes progress, while no other session sends", () =>
    Effect.gen(function*() {
      const world = yield* makeWorld()
      const { bob, flood, heard } = yield* quiet(world)
      flood()
      for (let i = 0; i < 3; i++) {
        bob.answer(yield* bob.next)
        yield* TestClock.adjust(ANSWERED_WITHIN - 1000)
      }
      assert.deepStrictEqual([heard.small, heard.reports], [0, []])
      answering({ peer: bob, uri: "", usePath: "", granted: bob.frames[0]! })
      for (const frame of bob.frames.splice(0)) bob.answer(frame)
      yield* until(() => heard.small === 200 && heard.answers === 100, "all of them")
      assert.deepStrictEqual([heard.reports, world.relay.counters.receiversGivenUp], [[], 0])
      yield* world.done
    }).pipe(Effect.provide(Transport.layerTest({ window: 65_536 }))))

  it.effect("R4976-9.3-05: two parties go on writing to each other although neither answers", () =>
    Effect.gen(function*() {
      const world = yield* makeWorld({ limits: { transactions: 20, session: 10_000 } })
      const { alice, bob, bobUri } = yield* world.pair()
      const got = { alice: 0, bob: 0 }
      alice.peer.onFrame = ({ method }) => method === "SEND" ? void got.alice++ : undefined
      bob.onFrame = ({ method }) => method === "SEND" ? void got.bob++ : undefined
      for (let i = 0; i < 200; i++) {
        const messageId = `many.${i}`
        const rest = { messageId, body: pattern(1000), failureReport: "partial" } as const
        alice.peer.write(send({ to: `${alice.usePath} ${bobUri}`, from: alice.uri, ...rest }))
        bob.write(send({ to: `${alice.usePath} ${alice.uri}`, from: bobUri, ...rest }))
      }
      yield* until(() => got.alice === 200 && got.bob === 200, "all of them")
      yield* TestClock.adjust("30 seconds")
      yield* world.done
    }).pipe(Effect.provide(Transport.layerTest({ window: 65_536 }))))

  it.effect("R4976-9.3-05: is held as long as it takes when it has only one session", () =>
    Effect.gen(function*() {
      const world = yield* makeWorld()
      const { alice, bob, bobUri } = yield* world.pair()
      bob.connection.pause()
      let answers = 0
      const reports: Array<string> = []
      alice.peer.onFrame = (frame) =>
        frame.method === "REPORT" ? void reports.push(frame.octets.toString()) : void answers++
      for (let i = 0; i < 100; i++) {
        const to = `${alice.usePath} ${bobUri}`
        alice.peer.write(send({ to, from: alice.uri, messageId: `flood.${i}`, body: pattern(10_000) }))
      }
      yield* TestClock.adjust("20 seconds")
      assert.isBelow(answers, 60)
      const seen = answering({ ...alice, peer: bob })
      bob.connection.resume()
      yield* until(() => answers === 100 && seen.sends >= 100, "all of them")
      assert.deepStrictEqual(reports, [])
      yield* world.done
    }).pipe(Effect.provide(Transport.layerTest({ window: 65_536 }))))
})
