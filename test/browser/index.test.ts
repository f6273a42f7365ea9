/** The client of web pages, in Node and its WebSocket, against a relay on loopback. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { createHash, randomBytes } from "node:crypto"
import { afterEach, beforeEach } from "vitest"
import { connect, type ConnectOptions, type Msrp, MsrpError, type Session } from "../../src/browser/index.ts"
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
})
