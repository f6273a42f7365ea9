/** The client of web pages, in Node and its WebSocket, against a relay on loopback. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { createHash, randomBytes } from "node:crypto"
import { once } from "node:events"
import { type AddressInfo, connect as connectTo, createServer, type Socket } from "node:net"
import { afterEach, beforeEach, vi } from "vitest"
import {
  connect,
  type ConnectOptions,
  type Msrp,
  MsrpError,
  type ReadOptions,
  type SendOptions,
  type Session,
  type State
} from "../../src/browser/index.ts"
import { Transport } from "../../src/Transport.ts"
import { PASSWORD, startRelay } from "./relay.ts"

const HOST = "127.0.0.1"

/** A relay that can be ended, and one like it on the same port. */
const run = async (port = 0) => {
  const scope = Scope.makeUnsafe()
  const transport = await Effect.runPromise(Layer.buildWithScope(Transport.layerNode(), scope))
  const relay = await Effect.runPromise(
    startRelay({ scheme: "msrp", transport: "ws", host: HOST, port, path: "/" }).pipe(
      Effect.provide(transport),
      Scope.provide(scope)
    )
  )
  return { port: relay.sockets[0]!.port, stop: () => Effect.runPromise(Scope.close(scope, Exit.void)) }
}

const failure = async (promise: Promise<unknown>): Promise<MsrpError> => {
  const error = await promise.then(() => undefined, (error: unknown) => error)
  assert.instanceOf(error, MsrpError)
  return error
}

const first = async <A>(iterable: AsyncIterable<A>): Promise<A> => {
  for await (const one of iterable) return one
  throw new Error("there is none")
}

const inState = (msrp: Msrp, wanted: State): Promise<void> =>
  new Promise((resolve) => {
    if (msrp.state === wanted) resolve()
    else msrp.addEventListener("state", ({ detail }) => detail.state === wanted && resolve())
  })

const sha256 = (octets: Uint8Array): string => createHash("sha256").update(octets).digest("hex")

describe("the client of web pages", () => {
  let relay: Awaited<ReturnType<typeof run>>
  let open: Array<Msrp> = []
  beforeEach(async () => {
    relay = await run()
  })
  afterEach(async () => {
    await Promise.all(open.map((one) => one.close()))
    open = []
    await relay.stop()
  })

  const login = async (username: string, options: Partial<ConnectOptions> = {}): Promise<Msrp> => {
    const msrp = await connect({ url: `ws://${HOST}:${relay.port}/`, username, password: PASSWORD, ...options })
    open.push(msrp)
    return msrp
  }

  const pair = async (): Promise<{ alice: Msrp; bob: Msrp; toBob: Session; toAlice: Session }> => {
    const [alice, bob] = await Promise.all([login("alice"), login("bob")])
    const toAlice = bob.session()
    const toBob = alice.session({ peer: toAlice.path })
    toAlice.peer = toBob.path
    return { alice, bob, toBob, toAlice }
  }

  it("logs in, and says by which path it is reached", async () => {
    const msrp = await login("alice")
    assert.strictEqual(msrp.state, "open")
    assert.match(msrp.path, /^msrp:\/\/127\.0\.0\.1:\d+\/\w+;ws$/)
    const session = msrp.session()
    assert.strictEqual(session.path, `${msrp.path} ${session.uri}`)
    assert.match(session.uri, /^msrp:\/\/\w+\.invalid:2855\/\w+;ws$/)
    assert.notStrictEqual(msrp.session().uri, session.uri)
  })

  it("tells a wrong password from a relay that is not there", async () => {
    const refused = await failure(login("alice", { password: "looking-glass" }))
    assert.deepStrictEqual([refused.reason, refused.status], ["Login", 401])
    const { port } = relay
    await relay.stop()
    assert.strictEqual((await failure(login("alice", { url: `ws://${HOST}:${port}/` }))).reason, "Unreachable")
    assert.strictEqual((await failure(login("alice", { url: "https://example.com/" }))).reason, "Invalid")
  })

  it("says at once what cannot be used", async () => {
    const wrong: ReadonlyArray<object> = [
      { expires: NaN },
      { expires: 0.5 },
      { password: null },
      { username: 5 },
      { relay: 5 },
      { credentials: "alice" },
      { username: "a\r\nb" },
      { signal: 5 },
      { expire: 5 }
    ]
    for (const one of wrong) assert.strictEqual((await failure(login("alice", one))).reason, "Invalid")
    for (const none of [{ user: "alice" }, null, undefined, "alice"]) {
      const credentials = (() => none) as unknown as NonNullable<ConnectOptions["credentials"]>
      assert.strictEqual((await failure(login("alice", { credentials }))).reason, "Login")
    }
    const broken = () => ({ username: "a\r\nb", password: PASSWORD })
    assert.strictEqual((await failure(login("alice", { credentials: broken }))).reason, "Login")
    for (const none of [undefined, null, 5, []] as ReadonlyArray<any>) {
      assert.strictEqual((await failure(connect(none))).reason, "Invalid")
    }

    const msrp = await login("alice", { expires: undefined, credentials: undefined, relay: undefined })
    const bob = await login("bob")
    const wrongSessions = [{ maxSize: NaN }, { maxSize: 0 }, { maxSize: 1.5 }, { accept: "text/plain" }, { peer: null }]
    for (const one of [...wrongSessions, { size: 5 }, null, 5]) {
      const session = Promise.resolve().then(() => msrp.session(one as object))
      assert.strictEqual((await failure(session)).reason, "Invalid")
    }
    const chat = msrp.session({ maxSize: Infinity, accept: undefined, peer: undefined })
    chat.peer = bob.session().path
    const wrongTypes = [5, "", "text", "text/plain\r\nX: y", "text/plain; a=\ud800"]
    const wrongToSend = [
      ...wrongTypes.map((contentType) => ({ contentType })),
      { filename: 5 },
      { messageId: 5 },
      { onProgress: 5 },
      { receipt: "yes" },
      { signal: 5 },
      { reciept: true },
      null
    ]
    for (const one of wrongToSend) {
      assert.strictEqual((await failure(chat.send("x", one as object))).reason, "Invalid")
    }
    assert.strictEqual((await failure(chat.send(undefined as unknown as string))).reason, "Invalid")
    assert.strictEqual((await chat.send("x", { contentType: undefined, messageId: undefined })).length, 1)
  })

  it("refuses a path that no relay takes, which would end the connection", async () => {
    const { toAlice, toBob } = await pair()
    const { peer } = toBob
    toBob.peer = [1, 2, 3, 4, 5].map(() => `msrp://bob.invalid:2855/${"a".repeat(1900)};tcp`).join(" ")
    assert.strictEqual(
      (await failure(toBob.send("x"))).message,
      "peer must be of fewer URIs, or shorter ones"
    )
    toBob.peer = Array.from({ length: 16 }, () => peer!.split(" ")[0]!).join(" ")
    assert.strictEqual((await failure(toBob.send("x"))).reason, "Invalid")
    toBob.peer = peer
    // The type of a blob is whatever somebody has said.
    await toBob.send(new Blob(["x"], { type: "nothing" }))
    assert.strictEqual((await first(toAlice.messages)).contentType, "application/octet-stream")
  })

  it("chats both ways, with receipts", async () => {
    const { toAlice, toBob } = await pair()
    const sent = await toBob.send("Grüße", { receipt: true })
    assert.strictEqual(sent.length, 7)
    const message = await first(toAlice.messages)
    assert.strictEqual(message.contentType, "text/plain")
    assert.strictEqual(await message.text(), "Grüße")
    assert.strictEqual((await failure(message.text())).reason, "Invalid")
    assert.deepStrictEqual(await sent.delivered, { status: 200 })
    const answer = await toAlice.send("Hello")
    assert.strictEqual(await (await first(toBob.messages)).text(), "Hello")
    assert.strictEqual((await failure(answer.delivered)).reason, "NoReceipt")
  })

  it("sends a file of some MiB, with its name and progress both ways", async () => {
    const { toAlice, toBob } = await pair()
    const octets = randomBytes(5_000_000)
    const file = new File([octets], "Grüße \"und\" so.bin", { type: "application/x-test" })
    const told: Array<number> = []
    const job = toBob.send(file, {
      receipt: true,
      onProgress: ({ acknowledged, sent, total }) => {
        assert.isAtMost(acknowledged, sent)
        assert.strictEqual(total, octets.length)
        told.push(acknowledged)
      }
    })
    const incoming = await first(toAlice.incoming)
    assert.strictEqual(incoming.name, file.name)
    assert.strictEqual(incoming.size, octets.length)
    assert.strictEqual(incoming.contentType, "application/x-test")
    const received: Array<number> = []
    const blob = await incoming.blob({ onProgress: ({ received: now }) => received.push(now) })
    assert.strictEqual(blob.type, "application/x-test")
    assert.strictEqual(sha256(new Uint8Array(await blob.arrayBuffer())), sha256(octets))
    assert.strictEqual(incoming.progress, 1)
    assert.isAbove(received.length, 10)
    const sent = await job
    assert.deepStrictEqual([sent.length, told.at(-1)], [octets.length, octets.length])
    assert.isAbove(new Set(told).size, 10)
    await sent.delivered
  })

  it("goes on with a message that a broken function is told of, and with the connection", async () => {
    const { toAlice, toBob } = await pair()
    const broken: Array<SendOptions["onProgress"]> = [
      () => {
        throw new Error("broken")
      },
      async () => {
        throw new Error("broken")
      },
      ({ acknowledged }) => {
        if (acknowledged > 0) throw new Error("broken")
      }
    ]
    const said = vi.spyOn(console, "error").mockImplementation(() => {})
    for (const onProgress of broken) {
      await toBob.send(new Uint8Array(200_000), { onProgress })
      const message = await first(toAlice.messages)
      const blob = await message.blob({ onProgress: onProgress as unknown as ReadOptions["onProgress"] })
      assert.strictEqual(blob.size, 200_000)
    }
    // Once for each that was broken; the last of them is told another thing when it reads.
    assert.strictEqual(said.mock.calls.length, 5)
    said.mockRestore()
    await toBob.send("Hello")
    assert.strictEqual(await (await first(toAlice.messages)).text(), "Hello")
  })

  it("ends a message with # when its signal says so, and tells the receiver", async () => {
    const { toAlice, toBob } = await pair()
    const controller = new AbortController()
    const job = failure(toBob.send(new Blob([new Uint8Array(20_000_000)]), {
      signal: controller.signal,
      onProgress: ({ acknowledged }) => acknowledged > 100_000 && controller.abort("enough")
    }))
    const message = await first(toAlice.messages)
    const received = await failure(message.blob())
    assert.strictEqual(received.reason, "GivenUp")
    const error = await job
    assert.deepStrictEqual([error.reason, error.cause], ["Aborted", "enough"])
    assert.strictEqual((await failure(toBob.send("x", { signal: AbortSignal.abort() }))).reason, "Aborted")
    await toBob.send("The connection goes on")
    assert.strictEqual(await (await first(toAlice.messages)).text(), "The connection goes on")
  })

  it("refuses a file, a media type, what is too long, and what is for a session that is over", async () => {
    const { bob, toAlice, toBob } = await pair()
    const statusOf = async (promise: Promise<unknown>) => {
      const { reason, status } = await failure(promise)
      return [reason, status]
    }
    const job = statusOf(toBob.send(new File([new Uint8Array(10_000_000)], "../../a/b.bin")))
    const file = await first(toAlice.incoming)
    assert.strictEqual(file.name, "b.bin")
    for (const status of [200, 399, 600, NaN]) assert.throws(() => file.refuse(status), MsrpError)
    file.refuse()
    assert.strictEqual((await failure(file.blob())).reason, "Dropped")
    // By an answer, or by a REPORT if the relay has answered for the chunk already.
    assert.include([["Refused", 413], ["Failed", 413]].map(String), String(await job))

    // The relay has taken these, so a REPORT tells.
    const delivered = async (data: string | Uint8Array) => (await toBob.send(data, { receipt: true })).delivered
    const picky = bob.session({ accept: ["text/*"], maxSize: 10 })
    toBob.peer = picky.path
    assert.strictEqual((await statusOf(delivered(new Uint8Array(1))))[1], 415)
    assert.strictEqual((await statusOf(delivered("more than ten")))[1], 413)
    await delivered("ten or so")
    picky.close()
    assert.strictEqual((await statusOf(delivered("ten or so")))[1], 481)
    assert.throws(() => toBob.peer = "nobody", MsrpError)
    assert.strictEqual((await failure(bob.session().send("x"))).reason, "Invalid")
  })

  it("takes no more than it may when the page takes nothing, and says so to who sends", async () => {
    const { toAlice, toBob } = await pair()
    const text = "x".repeat(900_000)
    const outcomes = []
    for (let i = 0; i < 12; i++) {
      const delivered = toBob.send(text, { receipt: true }).then((sent) => sent.delivered)
      outcomes.push(await delivered.then(({ status }) => status, (error: unknown) => (error as MsrpError).status))
    }
    assert.deepStrictEqual(new Set(outcomes), new Set([200, 413]))
    assert.strictEqual((await (await first(toAlice.messages)).text()).length, text.length)
  })

  it("keeps no more than it may for all of its sessions together, though each may have some", async () => {
    const [alice, bob] = await Promise.all([login("alice"), login("bob")])
    const text = "x".repeat(900_000)
    /** What becomes of ten messages to a session that is new: it may have as many. */
    const ten = async () => {
      const there = bob.session()
      const here = alice.session({ peer: there.path })
      there.peer = here.path
      const statuses = []
      for (let i = 0; i < 10; i++) {
        const delivered = here.send(text, { receipt: true }).then((sent) => sent.delivered)
        statuses.push(await delivered.then(({ status }) => status, (error: unknown) => (error as MsrpError).status))
      }
      return statuses
    }
    for (let i = 0; i < 3; i++) assert.deepStrictEqual(await ten(), Array(10).fill(200))
    // Of 32 MiB there is room for eight more.
    assert.deepStrictEqual(await ten(), [...Array(8).fill(200), 413, 413])
  })

  it("comes back by another path when the connection breaks; what was on its way is lost, and not sent again", async () => {
    const sockets = new Set<Socket>()
    const proxy = createServer((socket) => {
      const other = connectTo(relay.port, HOST)
      for (const one of [socket, other]) sockets.add(one.on("error", () => {}))
      socket.pipe(other).pipe(socket)
    }).listen(0, HOST)
    await once(proxy, "listening")
    const { port } = proxy.address() as AddressInfo
    const alice = await login("alice", { url: `ws://${HOST}:${port}/`, relay: `msrp://${HOST}:${relay.port};ws` })
    const bob = await login("bob")
    const toAlice = bob.session()
    const toBob = alice.session({ peer: toAlice.path })
    const states: Array<State> = []
    const back = new Promise<void>((resolve) =>
      alice.addEventListener("state", ({ detail: { error, state } }) => {
        states.push(state)
        if (state === "waiting") assert.strictEqual(error?.reason, "Lost")
        if (state === "open") resolve()
      })
    )
    const [path, uri] = [alice.path, toBob.uri]
    const { delivered } = await toBob.send("Hello", { receipt: true })
    await delivered
    const job = failure(toBob.send(new Blob([new Uint8Array(50_000_000)])))
    await first(toAlice.messages)
    await first(toAlice.messages)
    for (const socket of sockets) socket.destroy()
    assert.strictEqual((await job).reason, "Lost")
    await inState(alice, "waiting")
    assert.strictEqual(toBob.path, "")
    assert.strictEqual((await failure(toBob.send("now"))).reason, "Lost")
    await back
    proxy.close()
    assert.deepStrictEqual(states, ["waiting", "connecting", "open"])
    assert.notStrictEqual(alice.path, path)
    assert.strictEqual(toBob.path, `${alice.path} ${uri}`)
    await toBob.send("Here again")
    assert.strictEqual(await (await first(toAlice.messages)).text(), "Here again")
  })

  it("ends what waits when it is closed", async () => {
    const { alice, toBob } = await pair()
    const taken: Array<string> = []
    const reading = (async () => {
      for await (const message of toBob.messages) taken.push(await message.text())
    })()
    await alice.close()
    await reading
    assert.deepStrictEqual([alice.state, alice.path, taken.length], ["closed", "", 0])
    assert.strictEqual((await failure(toBob.send("x"))).reason, "Lost")
  })
})
