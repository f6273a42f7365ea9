/**
 * The core of the relay by itself: octets and the time in, octets out. There is no Effect here, no clock and no network,
 * so this is the place to see what a relay does with a message.
 *
 * alice is a client: she has logged in, and bob, who has connected to the relay as well, writes to her session URI.
 */
import { assert, beforeEach, describe, it } from "vitest"
import { Decoder } from "../../src/protocol/Decoder.ts"
import { defaultFrameLimits } from "../../src/protocol/FrameLimits.ts"
import { parseUri } from "../../src/protocol/Uri.ts"
import { defaultRelayLimits, type RelayLimits } from "../../src/relay/Limits.ts"
import type { PendingAuth } from "../../src/relay/rules/Auth.ts"
import type { Dial } from "../../src/relay/rules/Directory.ts"
import type { NewSession, Session } from "../../src/relay/Session.ts"
import { type Dialled, Switchboard } from "../../src/relay/Switchboard.ts"
import { Timers } from "../../src/relay/Timers.ts"
import type { Connection, Receiver } from "../../src/transport/Connection.ts"

/** Text with CRLF at the end of each line, as it is on the wire. */
const wire = (...lines: ReadonlyArray<string>): string => lines.map((line) => `${line}\r\n`).join("")

const ALICE = "msrps://alice.invalid:9/a1;tcp"
const BOB = "msrps://bob.invalid:9/b1;tcp"
const RELAY = "msrps://relay.example.com:2855;tcp"

/** One connection, with this test as its peer. */
class Wire implements Connection {
  readonly transport = "tcp"
  readonly messages = undefined
  readonly inbound: boolean
  readonly secure = true
  readonly local = { host: "192.0.2.1", port: 2855 }
  readonly remote: { readonly host: string; readonly port: number }
  readonly socket = undefined
  readonly peerNames: ReadonlyArray<string>
  /** It is gone, of which its receiver hears when it has got all that came in before. */
  lost = false
  receiver!: Receiver
  paused = false
  closed: "no" | "ended" | "destroyed" = "no"
  /** The operating system takes nothing. */
  stuck = false
  halfClosed = false
  #output = ""
  #written: Array<() => void> = []
  #pending = 0

  constructor(port: number, inbound = true, peerNames: ReadonlyArray<string> = []) {
    this.remote = { host: "198.51.100.7", port }
    this.inbound = inbound
    this.peerNames = peerNames
  }
  write(bytes: Uint8Array, written: () => void): void {
    this.#output += Buffer.from(bytes).toString("latin1")
    this.#pending += bytes.length
    this.#written.push(written)
  }
  pending(): number {
    return this.#pending
  }
  pause(): void {
    this.paused = true
  }
  resume(): void {
    this.paused = false
  }
  end(): void {
    this.closed = "ended"
  }
  destroy(): void {
    this.closed = "destroyed"
  }

  /** The operating system takes what was written. */
  take(): boolean {
    if (this.stuck || this.#written.length === 0) return false
    this.#pending = 0
    for (const written of this.#written.splice(0)) written()
    return true
  }
  /** What has come out since the last time, with the transaction ids that the relay has chosen as `ID`, `ID2`... */
  read(): string {
    const output = this.#output
    this.#output = ""
    const ids = [...new Set(Array.from(output.matchAll(/^MSRP ([a-z2-7]{16}) /gm), ([, id]) => id!))]
    this.ids = ids
    return ids.reduce((text, id, i) => text.replaceAll(id, i === 0 ? "ID" : `ID${i + 1}`), output)
  }
  /** The ids of the last `read`. */
  ids: ReadonlyArray<string> = []
}

/** A relay with a clock that stands still, and an edge that only notes what is wanted of it. */
class Core {
  now = 0
  #alarm = Infinity
  #tasks: Array<() => void> = []
  readonly sessions = new Map<string, Session>()
  readonly asked: Array<{ readonly pending: PendingAuth; readonly ended: () => void }> = []
  readonly dials: Array<{ readonly dial: Dial; readonly hop: Dialled; readonly ended: () => void }> = []
  /** What an observer hears, in order. */
  readonly heard: Array<string> = []
  readonly timers = new Timers(() => this.now, (deadline) => {
    this.#alarm = deadline
  })
  readonly switchboard: Switchboard
  #port = 40_000
  readonly wires: Array<Wire> = []

  constructor(limits: Partial<RelayLimits> = {}) {
    const name = (hop: { readonly connection: Connection | undefined }) => hop.connection?.remote.port ?? "nowhere"
    this.switchboard = new Switchboard({
      codec: { limits: defaultFrameLimits, decoder: (sink) => new Decoder(sink) },
      sessions: {
        findUnsafe: (id) => this.sessions.get(id),
        end: (session) => {
          session.ended = true
          this.sessions.delete(session.id)
        },
        endAllOf: (owner) => {
          for (const [id, session] of this.sessions) if (session.owner === owner) this.sessions.delete(id)
        },
        onEnd: () => {},
        size: () => this.sessions.size
      },
      timers: this.timers,
      edge: {
        defer: (task) => void this.#tasks.push(task),
        identity: () => 0,
        dial: (dial, hop, ended) => void this.dials.push({ dial, hop, ended }),
        authenticate: (pending, ended) => void this.asked.push({ pending, ended })
      },
      networkOf: (address) => address,
      observer: {
        closed: (hop) => this.heard.push(`closed ${name(hop)}: ${hop.end}`),
        mistaken: () => {},
        granted: ({ record: { on, user } }) => this.heard.push(`granted ${on.remote.port}: ${user}`),
        loginFailed: () => {},
        bound: () => {},
        ended: () => {},
        refused: (hop, { problem }) => this.heard.push(`refused ${name(hop)}: ${problem}`),
        undelivered: () => {},
        cut: () => {}
      },
      limits: { ...defaultRelayLimits, ...limits },
      auth: { usePath: [], expires: 1800, plaintext: "never" },
      relayPeers: "all",
      nextHops: {}
    })
    this.switchboard.serves([{ scheme: "msrps", host: "relay.example.com", port: 2855 }], [parseUri(RELAY)!])
  }

  connect(...peerNames: ReadonlyArray<string>): Wire {
    const one = new Wire(this.#port++, true, peerNames)
    this.wires.push(one)
    one.receiver = this.switchboard.accept(one)
    return one
  }

  /** The dial has brought a connection. */
  dialled({ ended, hop }: Core["dials"][number]): Wire {
    const one = new Wire(this.#port++, false)
    this.wires.push(one)
    ended()
    one.receiver = hop.dialled(one)
    this.turn()
    return one
  }

  /** Octets come in; then the turn ends, and the operating system takes what was written. */
  in(from: Wire, text: string): void {
    from.receiver.bytes(Buffer.from(text, "latin1"))
    this.turn()
  }

  turn(): void {
    do for (const task of this.#tasks.splice(0)) task()
    while (this.wires.filter((one) => one.take()).length > 0 || this.#tasks.length > 0)
  }

  /** The tasks at hand run: at most one turn. False: there were none. */
  step(): boolean {
    const tasks = this.#tasks.splice(0)
    for (const task of tasks) task()
    return tasks.length > 0
  }

  /** So many seconds pass. */
  pass(seconds: number): void {
    const until = this.now + seconds * 1000
    while (this.#alarm <= until) {
      this.now = this.#alarm
      this.#alarm = Infinity
      this.timers.expire()
      this.turn()
    }
    this.now = until
  }

  /** The credentials of an AUTH were right. */
  grant({ pending, ended }: Core["asked"][number], username: string): void {
    const { auth } = this.switchboard
    const wanted = auth.grant(pending, { username, realm: pending.realm })
    if (!("id" in wanted)) return auth.answer(pending, wanted)
    const session = this.#sessionOf(wanted)
    this.sessions.set(session.id, session)
    auth.answer(
      pending,
      auth.granted(pending, session, { authenticationInfo: "qop=auth", expires: wanted.expires, username })
    )
    ended()
    this.turn()
  }

  #sessionOf({ expires, ownerAuthority, ...rest }: NewSession): Session {
    const expiresAt = this.now + expires * 1000
    return { ...rest, expiresAt, extension: 0, ended: false, peer: undefined, ownerAuthorities: [ownerAuthority] }
  }
}

const auth = wire("MSRP auth0001 AUTH", `To-Path: ${RELAY}`, `From-Path: ${ALICE}`, "-------auth0001$")

/** A SEND of text, with its end-line. */
const send = (id: string, to: string, from: string, body: string, ...headers: ReadonlyArray<string>): string =>
  wire(
    `MSRP ${id} SEND`,
    `To-Path: ${to}`,
    `From-Path: ${from}`,
    "Message-ID: m1.of.bob",
    `Byte-Range: 1-${body.length}/${body.length}`,
    ...headers,
    "Content-Type: text/plain",
    "",
    body,
    `-------${id}$`
  )

const ok = (id: string, to: string, from: string): string =>
  wire(`MSRP ${id} 200 OK`, `To-Path: ${to}`, `From-Path: ${from}`, `-------${id}$`)

describe("a relay without I/O", () => {
  let core: Core
  let alice: Wire
  let bob: Wire
  /** Session URI of alice. */
  let session: string

  const login = (): void => {
    core.in(alice, auth)
    core.grant(core.asked.pop()!, "alice")
    session = /Use-Path: (\S+)/.exec(alice.read())![1]!
  }

  beforeEach(() => {
    core = new Core()
    alice = core.connect()
    bob = core.connect()
  })

  it("R4976-6.3-04: asks the edge who the user is, reads nothing more meanwhile, and hands out a session URI", () => {
    core.in(alice, auth + wire("MSRP next0001 SEND"))
    assert.isTrue(alice.paused)
    assert.strictEqual(alice.read(), "")
    assert.strictEqual(core.asked[0]!.pending.realm, "relay.example.com")
    core.grant(core.asked[0]!, "alice")
    assert.isFalse(alice.paused)
    const [id] = core.sessions.keys()
    assert.strictEqual(
      alice.read(),
      wire(
        "MSRP auth0001 200 OK",
        `To-Path: ${ALICE}`,
        `From-Path: ${RELAY}`,
        `Use-Path: msrps://relay.example.com:2855/${id};tcp`,
        "Expires: 1800",
        "Authentication-Info: qop=auth",
        "-------auth0001$"
      )
    )
  })

  it("R4976-6.4.1-01, 6.4.1-03, R4976-6.4-01: answers a SEND, and passes it on with the paths moved and a new id", () => {
    login()
    core.in(bob, send("bob00001", `${session} ${ALICE}`, BOB, "Hi, I'm Bob!"))
    assert.strictEqual(bob.read(), ok("bob00001", BOB, session))
    assert.strictEqual(alice.read(), send("ID", ALICE, `${session} ${BOB}`, "Hi, I'm Bob!"))
    assert.strictEqual(core.switchboard.shared.totals.transactions, 1)
    core.in(alice, ok(alice.ids[0]!, session, ALICE))
    assert.strictEqual(core.switchboard.shared.totals.transactions, 0)
    core.pass(60)
    assert.strictEqual(bob.read(), "")
  })

  it("R4976-6.4.1-12, 6.4.3-01: tells the sender what the next hop did not accept", () => {
    login()
    core.in(bob, send("bob00001", `${session} ${ALICE}`, BOB, "Hi!"))
    bob.read()
    alice.read()
    const [id] = alice.ids
    core.in(alice, wire(`MSRP ${id} 413 Too long`, `To-Path: ${session}`, `From-Path: ${ALICE}`, `-------${id}$`))
    assert.strictEqual(
      bob.read(),
      wire(
        "MSRP ID REPORT",
        `To-Path: ${BOB}`,
        `From-Path: ${session}`,
        "Message-ID: m1.of.bob",
        "Byte-Range: 1-3/3",
        "Status: 000 413 Too long",
        "-------ID$"
      )
    )
  })

  it("R4976-6.4.1-50, 6.4.1-51: 30 seconds of silence begin when the system has taken the last octet", () => {
    login()
    alice.stuck = true
    core.in(bob, send("bob00001", `${session} ${ALICE}`, BOB, "Hi!"))
    bob.read()
    core.pass(20)
    alice.stuck = false
    core.turn()
    core.pass(29.999)
    assert.strictEqual(bob.read(), "")
    core.pass(0.001)
    assert.include(bob.read(), "Status: 000 408 ")
  })

  it("R4976-6.4.2-08, 6.4.1-19: asks the edge for a connection that is not there; what waits for it is sent, or reported", () => {
    login()
    const carol = "msrps://carol.example.net:4000/c1;tcp"
    core.in(alice, send("alice001", `${session} ${carol}`, ALICE, "Hi, Carol!"))
    const atWork = carol.replace("c1", "c2")
    core.in(alice, send("alice002", `${session} ${atWork}`, ALICE, "Are you there?"))
    assert.strictEqual(core.dials.length, 1)
    assert.deepInclude(core.dials[0]!.dial, { relay: false, localName: "relay.example.com" })
    const there = core.dialled(core.dials.pop()!)
    assert.strictEqual(
      there.read(),
      send("ID", carol, `${session} ${ALICE}`, "Hi, Carol!") +
        send("ID2", atWork, `${session} ${ALICE}`, "Are you there?")
    )

    const dave = "msrps://dave.example.net:4000/d1;tcp"
    alice.read()
    core.in(alice, send("alice003", `${session} ${dave}`, ALICE, "Hi!"))
    const { ended, hop } = core.dials.pop()!
    ended()
    hop.unreachable(403)
    core.turn()
    assert.include(alice.read(), "Status: 000 403 ")
  })

  it("R4976-9.3-04: stops reading from a sender whose receiver takes nothing, and loses no octet", () => {
    core = new Core({ output: 1000, session: 4000, stall: 3600 })
    alice = core.connect()
    bob = core.connect()
    login()
    alice.stuck = true
    const body = "x".repeat(500)
    for (let i = 0; !bob.paused; i++) core.in(bob, send(`bob0000${i}`, `${session} ${ALICE}`, BOB, body))
    assert.isAbove(core.switchboard.shared.totals.bufferedOctets, 4000)
    assert.isBelow(core.switchboard.shared.totals.bufferedOctets, 7000)
    const answered = bob.read().split(" 200 OK").length - 1
    alice.stuck = false
    core.turn()
    assert.isFalse(bob.paused)
    assert.strictEqual(alice.read().split(body).length - 1, answered)
    assert.strictEqual(core.switchboard.shared.totals.bufferedOctets, 0)
  })

  it("R4975-5.1-01: ends a long chunk with + when something else is to be written, and goes on with it later", () => {
    login()
    const head = (id: string, range: string, to: string, from: string) =>
      wire(
        `MSRP ${id} SEND`,
        `To-Path: ${to}`,
        `From-Path: ${from}`,
        "Message-ID: m2.of.bob",
        `Byte-Range: ${range}`,
        "Content-Type: text/plain",
        ""
      )
    const first = "a".repeat(3000)
    const second = "b".repeat(3000)
    core.in(bob, head("bob00001", "1-*/6000", `${session} ${ALICE}`, BOB) + first)
    core.in(alice, wire("MSRP alice001 SEND", `To-Path: ${session}`, `From-Path: ${ALICE}`, "-------alice001$"))
    core.in(bob, second + wire("", "-------bob00001$"))
    assert.strictEqual(
      alice.read(),
      head("ID", "1-*/6000", ALICE, `${session} ${BOB}`) + first + wire("", "-------ID+") +
        ok("alice001", ALICE, session) +
        head("ID2", "3001-*/6000", ALICE, `${session} ${BOB}`) + second + wire("", "-------ID2$")
    )
  })

  it("R4976-6.4.1-15: tells senders of what was on its way to a connection that is lost, and ends its sessions", () => {
    login()
    core.in(bob, send("bob00001", `${session} ${ALICE}`, BOB, "Hi!"))
    bob.read()
    alice.receiver.closed()
    core.turn()
    assert.include(bob.read(), "Status: 000 408 ")
    assert.strictEqual(core.sessions.size, 0)
    core.in(bob, send("bob00002", `${session} ${ALICE}`, BOB, "Hi!"))
    assert.include(bob.read(), "MSRP bob00002 481 ")
  })

  describe.each(
    [
      ["has broken", "lost"],
      ["was closed by that relay", "halfClosed"]
    ] as const
  )("whose connection with another relay %s, of whose end nobody has told it yet", (_, how) => {
    const FIRST = "msrps://first.example.com:2855/f1;tcp"
    let link: Wire
    let toAlice: string
    let toBob: string

    beforeEach(() => {
      link = core.connect("first.example.com")
      core.in(
        link,
        wire("MSRP auth0001 AUTH", `To-Path: ${RELAY}`, `From-Path: ${FIRST} ${ALICE}`, "-------auth0001$")
      )
      core.grant(core.asked.pop()!, "alice")
      session = /Use-Path: .*?(\S+)\r/.exec(link.read())![1]!
      toAlice = `${session} ${FIRST} ${ALICE}`
      toBob = `${session} ${BOB}`
      core.in(bob, send("bob00001", toAlice, BOB, "Hi!"))
      core.in(link, send("alice001", toBob, `${FIRST} ${ALICE}`, "Hello"))
      for (const one of [link, bob]) one.read()
      link[how] = true
      if (how === "lost") core.in(bob, send("bob00002", toAlice, BOB, "This is lost"))
      link.read()
    })

    it("R4976-6.4.1-13: tells those behind it of failures on another one", () => {
      bob.receiver.closed()
      core.turn()
      assert.lengthOf(core.dials, 1)
      const report = core.dialled(core.dials[0]!).read()
      assert.include(report, `To-Path: ${FIRST} ${ALICE}\r\n`)
      assert.include(report, "Status: 000 408 ")
      assert.notInclude(link.read(), "REPORT")
    })

    it("R4976-6.4.2-02: passes on by another one what comes for those behind it", () => {
      core.in(bob, send("bob00003", toAlice, BOB, "This is not"))
      assert.include(bob.read(), "MSRP bob00003 200 ")
      assert.include(core.dialled(core.dials[0]!).read(), "This is not")
    })
  })

  it("R4976-6.4.1-13: says of the connection of a client that has broken that it closed, before anybody has told it", () => {
    login()
    alice.lost = true
    core.in(bob, send("bob00001", `${session} ${ALICE}`, BOB, "This is lost"))
    core.heard.length = 0
    core.in(bob, send("bob00002", `${session} ${ALICE}`, BOB, "Hi!"))
    assert.include(bob.read(), "MSRP bob00002 408 ")
    assert.deepStrictEqual(core.heard, ["refused 40001: the connection to its receiver closed"])
  })

  it("R4976-6.4.1-19: reports a long chunk at once, and once, if its receiver closes its side in the middle of it", () => {
    login()
    const chunk = send("bob00001", `${session} ${ALICE}`, BOB, "x".repeat(9_000), "Failure-Report: partial")
    const middle = chunk.indexOf("xxx") + 5_000
    core.in(bob, chunk.slice(0, middle))
    alice.halfClosed = true
    core.in(bob, chunk.slice(middle, middle + 1_000))
    const report = bob.read()
    assert.include(report, "Byte-Range: 1-6000/9000\r\nStatus: 000 408 ")
    core.in(bob, chunk.slice(middle + 1_000))
    alice.receiver.closed()
    core.turn()
    assert.strictEqual(bob.read(), "")
  })

  it("R4976-6.1-01: closes a connection that has sent nothing in 30 seconds; an observer hears why, in order", () => {
    login()
    core.pass(30)
    assert.strictEqual(alice.closed, "no")
    assert.strictEqual(bob.closed, "destroyed")
    bob.receiver.closed()
    assert.deepStrictEqual(core.heard, [
      "granted 40000: alice",
      "closed 40001: no successful request in probation"
    ])
  })

  it("lets connections without a session wait for those with one if a turn is long, and loses nothing that they sent", () => {
    core = new Core({ turn: 1 })
    alice = core.connect()
    bob = core.connect()
    login()
    const stranger = core.connect()
    const body = "x".repeat(40_000)
    bob.receiver.bytes(Buffer.from(send("bob00001", `${session} ${ALICE}`, BOB, "Hi!"), "latin1"))
    stranger.receiver.bytes(Buffer.from(send("str00001", `${session} ${ALICE}`, BOB, body), "latin1"))
    assert.isTrue(stranger.paused)
    core.turn()
    assert.isFalse(stranger.paused)
    assert.strictEqual(stranger.closed, "no")
    assert.strictEqual(bob.read(), ok("bob00001", BOB, session))
    assert.include(alice.read(), "Hi!")
    // Somebody else is the peer of that session.
    assert.include(stranger.read(), "MSRP str00001 506 ")
  })

  it("R4975-5.4-10: lets a peer that has closed its side connect again before its first connection is gone", () => {
    login()
    const toAlice = `${session} ${ALICE}`
    core.in(bob, send("bob00001", toAlice, BOB, "Hi!"))
    core.in(alice, send("ali00000", `${session} ${BOB}`, ALICE, "Hello"))
    assert.include(bob.read(), "Hello")
    const again = core.connect()
    core.in(again, send("bob00002", toAlice, BOB, "Me again"))
    assert.include(again.read(), "MSRP bob00002 506 ")
    bob.halfClosed = true
    core.in(again, send("bob00003", toAlice, BOB, "Me again"))
    assert.strictEqual(again.read(), ok("bob00003", BOB, session))
    // What is for him goes there, and what he had written before may still come.
    alice.read()
    core.in(alice, send("ali00001", `${session} ${BOB}`, ALICE, "Welcome back"))
    assert.include(again.read(), "Welcome back")
    core.in(bob, send("bob00004", toAlice, BOB, "Hi!"))
    assert.include(alice.read(), "Hi!")
  })

  it("passes on what waits for its turn when its sender goes", () => {
    core = new Core({ turn: 1 })
    alice = core.connect()
    bob = core.connect()
    login()
    const all = [1, 2, 3].map((i) => send(`bob0000${i}`, `${session} ${ALICE}`, BOB, `message ${i}`)).join("")
    bob.receiver.bytes(Buffer.from(all, "latin1"))
    bob.receiver.closed()
    core.turn()
    assert.deepStrictEqual(alice.read().match(/message \d/g), ["message 1", "message 2", "message 3"])
  })

  it("waits until what a disconnected sender sent has been passed on, and not for its answers", () => {
    core = new Core({ output: 1000, stall: 3600 })
    alice = core.connect()
    bob = core.connect()
    login()
    alice.stuck = true
    for (let i = 0; i < 8; i++) core.in(bob, send(`bob0000${i}`, `${session} ${ALICE}`, BOB, "x".repeat(500)))
    bob.receiver.closed()
    core.turn()
    const { totals } = core.switchboard.shared
    assert.isAbove(totals.parkedOctets, 2000)
    assert.isAbove(totals.transactions, 0)
    assert.isFalse(core.switchboard.shutdown.answered)
    alice.stuck = false
    core.turn()
    assert.deepStrictEqual([totals.parkedOctets, totals.transactions], [0, 8])
    assert.isTrue(core.switchboard.shutdown.answered)
    assert.strictEqual(alice.read().split("x".repeat(500)).length - 1, 8)
  })

  it("leaves nothing behind", () => {
    login()
    core.in(bob, send("bob00001", `${session} ${ALICE}`, BOB, "Hi!"))
    for (const one of [alice, bob]) one.receiver.closed()
    core.turn()
    const { hops, shared: { totals } } = core.switchboard
    assert.deepStrictEqual([hops.size, totals.transactions + totals.bufferedOctets, core.timers.running], [0, 0, 0])
  })

  describe("tells of 1,000 requests that come to nothing some in each turn, and of what ended them when all were told", () => {
    const REQUESTS = 1000
    /** In a turn. */
    const AT_ONCE = 64

    it.each<[what: string, ends: () => void, heard: string]>([
      ["their connection is gone (R4976-6.4.1-14)", () => alice.receiver.closed(), "closed 40000: closed by its peer"],
      ["the relay ends", () => core.switchboard.shutdown.end(), "ended"]
    ])("%s", (_what, ends, last) => {
      login()
      const { shared: { counters, totals } } = core.switchboard
      for (let i = 0; i < REQUESTS; i++) {
        core.in(bob, send(`bob${10_000 + i}`, `${session} ${ALICE}`, BOB, "x".repeat(50)))
      }
      assert.isAbove(totals.transactions, AT_ONCE)
      assert.isAbove(totals.parkedOctets, 256 * AT_ONCE, "others wait until some of these are answered")
      core.switchboard.shutdown.stop()
      core.step()
      core.heard.length = 0
      ends()
      let told = 0
      let most = 0
      do {
        most = Math.max(most, counters.reports - told)
        told = counters.reports
        if (told < REQUESTS) assert.deepStrictEqual([core.heard, core.switchboard.shutdown.answered], [[], false])
        if (alice.closed === "ended") core.heard.push("ended")
      } while (core.step())
      assert.strictEqual(told, REQUESTS)
      assert.isAtMost(most, AT_ONCE)
      assert.strictEqual(core.heard[0], last)
      assert.isTrue(core.switchboard.shutdown.answered)
      bob.take()
    })
  })

  describe("whatever comes in costs a turn what it takes, so it is another one's turn after some reads", () => {
    /** How often this can be read in a turn. */
    const reads = (from: Wire, octets: (n: number) => string): number => {
      // Somebody who would have to wait.
      core.in(bob, send("bob00001", `${session} ${ALICE}`, BOB, "Hi!"))
      let n = 0
      while (!from.paused && from.closed === "no" && n < 5000) from.receiver.bytes(Buffer.from(octets(n++), "latin1"))
      return n
    }
    const headers = Array.from({ length: 10 }, (_, i) => `X-Header${i}: ${"x".repeat(900)}`)

    beforeEach(login)

    it.each<[what: string, most: number, octets: (n: number) => string, begin?: string]>([
      ["line ends between frames", 16, () => "\r\n".repeat(8192)],
      [
        "a header section, octet by octet",
        256,
        (n) => send("bob00003", `${session} ${ALICE}`, BOB, "Hi!", ...headers)[n]!
      ],
      [
        "header sections that are long",
        32,
        (n) => send(`bob${10_000 + n}`, `${session} ${ALICE}`, BOB, "Hi!", `X-Long: ${"x".repeat(7000)}`)
      ],
      [
        "paths that are new each time",
        16,
        (n) => send(`bob${10_000 + n}`, `${session} ${ALICE}`, `msrps://bob.invalid:9/b${n};tcp`, "Hi!")
      ],
      [
        "a long chunk, octet by octet",
        256,
        () => "x",
        `MSRP bob00002 SEND\r\nTo-Path: SESSION ${ALICE}\r\nFrom-Path: ${BOB}\r\nMessage-ID: m2\r\n` +
        `Byte-Range: 1-*/100000\r\nContent-Type: text/plain\r\n\r\n${"x".repeat(4000)}`
      ]
    ])("%s", (_what, most, octets, begin) => {
      const from = bob
      if (begin !== undefined) core.in(from, begin.replace("SESSION", session))
      assert.isAtMost(reads(from, octets), most + 1)
      assert.strictEqual(from.closed, "no")
    })
  })
})
