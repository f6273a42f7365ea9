/**
 * Two relays of a domain, as SRV records list them, which are restarted one after the other while clients log in, send and
 * leave: what was accepted is delivered or reported, and whoever is refused or cut finds the other one.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import { once } from "node:events"
import * as Net from "node:net"
import { assert, it, vi } from "vitest"
import * as Client from "../../src/Client.ts"
import { Codec } from "../../src/Codec.ts"
import { formatUri } from "../../src/protocol/Uri.ts"
import * as Resolver from "../../src/Resolver.ts"
import { Transport } from "../../src/Transport.ts"
import { nameServer } from "../support/nameServer.ts"
import { ended, eventually, freePort, output, start, type Started } from "../support/service.ts"

vi.setConfig({ testTimeout: 300_000 })

const DOMAIN = "_msrp._tcp.relays.example"

/** Clients that come and go, and those that stay until they are cut. */
const SHORT = 6
const LONG = 2
/** Messages of a client that goes. */
const MESSAGES = 20
/** Messages to a peer that gives no answer, each less than the relay holds for it. */
const UNANSWERED = 8

/** What happened, as those who were there tell it. */
class Books {
  readonly accepted = new Set<string>()
  readonly delivered = new Set<string>()
  readonly reported = new Set<string>()
  /** Logins at the relay of each port since that was last set to 0. */
  readonly logins = new Map<number, number>()
  /** What became of a login that was refused or cut, at the other relay. */
  secondTries = 0
  readonly failed: Array<string> = []
  /** Nobody logs in any more. */
  closed = false
  #messages = 0

  get lost(): ReadonlyArray<string> {
    return [...this.accepted].filter((id) => !this.delivered.has(id) && !this.reported.has(id))
  }

  message(): string {
    return `message.${++this.#messages}`
  }
}

/** A connection to the relay of this port, of which it is noted what arrives and what is reported. */
const connect = Effect.fnUntraced(function*(books: Books, port: number) {
  const client = yield* Client.connect({ scheme: "msrp", host: "127.0.0.1", port })
  const note = (take: Effect.Effect<{ readonly messageId: string | undefined }, unknown>, ids: Set<string>) =>
    Effect.forkScoped(Effect.forever(Effect.map(take, ({ messageId }) => void ids.add(messageId!))))
  const notes = [
    yield* note(client.messages.take, books.delivered),
    yield* note(client.reports.take, books.reported)
  ]
  /** Leaves, when all that came is noted. */
  const leave = Effect.andThen(client.close, Effect.forEach(notes, Fiber.await, { discard: true }))
  return { client, leave }
})

const login = Effect.fnUntraced(function*(books: Books, port: number) {
  const owner = yield* connect(books, port)
  const relay = `msrp://127.0.0.1:${port};tcp`
  const grant = yield* owner.client.auth({ relay, username: "alice", password: "wonderland" })
  books.logins.set(port, (books.logins.get(port) ?? 0) + 1)
  return { ...owner, grant, port }
})

/** As a client does it: the next record, when the first relay refuses or cannot be reached. */
const loginSomewhere = Effect.fnUntraced(function*(books: Books) {
  const records = yield* (yield* Resolver.Resolver).srv(DOMAIN)
  const [first, second] = (yield* Random.shuffle(records)).map(({ port }) => port) as [number, number]
  return yield* login(books, first).pipe(
    Effect.catch(() => {
      books.secondTries++
      return login(books, second)
    }),
    // In the end both relays go.
    Effect.tapError((error) => Effect.sync(() => books.closed || books.failed.push(String(error))))
  )
})

/** Logs in, and sends and gets messages of a peer that connects to the same relay. */
const session = Effect.fnUntraced(function*(books: Books, messages: number) {
  const owner = yield* loginSomewhere(books)
  const both = Effect.gen(function*() {
    const peer = yield* connect(books, owner.port)
    const talk = Effect.gen(function*() {
      const ways = [
        [peer.client, Client.peerPath(owner.grant, owner.client.uri)],
        [owner.client, [...owner.grant.usePath, peer.client.uri]]
      ] as const
      for (let i = 0; i < messages; i++) {
        const [client, toPath] = ways[i % 2]!
        const messageId = books.message()
        yield* client.send({ toPath, messageId, body: "x".repeat(i % 7 === 0 ? 100_000 : 100) })
        books.accepted.add(messageId)
        if (messages === Infinity) yield* Effect.sleep("5 millis")
      }
    })
    // The last ones are delivered before it goes.
    const settled = Effect.gen(function*() {
      while (books.lost.length > 0 && !(yield* isClosed(peer.client)) && !(yield* isClosed(owner.client))) {
        yield* Effect.sleep("5 millis")
      }
    })
    yield* Effect.ensuring(Effect.ignore(Effect.andThen(talk, settled)), peer.leave)
  })
  yield* Effect.ensuring(Effect.ignore(both), owner.leave)
})

/**
 * A peer that answers nothing: a `deaf` one does not even read until the relay is gone, so that some of what was accepted for
 * it is parked; of what the other has read all waits for answers.
 */
const silentPeer = async (port: number, session: string, owner: string, deaf: boolean) => {
  const uri = `msrp://peer.invalid:9/${deaf ? "deaf" : "mute"};tcp`
  const socket = Net.connect(port, "127.0.0.1")
  let text = ""
  socket.on("data", (octets) => text += octets.toString("latin1"))
  socket.on("error", () => {})
  const over = once(socket, "close")
  socket.write(
    `MSRP bind SEND\r\nTo-Path: ${session} ${owner}\r\nFrom-Path: ${uri}\r\nMessage-ID: bind\r\n-------bind$\r\n`
  )
  await eventually(() => text.includes("MSRP bind 200"), "the session of a peer that gives no answer")
  if (deaf) socket.pause()
  return {
    uri,
    /** Message-IDs of what it has got whole, when the relay is gone. */
    whole: async (): Promise<ReadonlyArray<string>> => {
      socket.resume()
      await over
      return [...text.matchAll(/MSRP (\S+) SEND\r\n(?:(?!-------)[^])*?Message-ID: (\S+)\r\n[^]*?-------\1\$/g)].map((
        [, , id]
      ) => id!)
    }
  }
}

/** Has the relay accept messages for such a peer, and calls back then; which of them are lost when the relay has gone. */
const unanswered = Effect.fnUntraced(function*(books: Books, port: number, deaf: boolean, ready: () => void) {
  const owner = yield* login(books, port)
  const session = formatUri(owner.grant.usePath[0]!)
  const peer = yield* Effect.promise(() => silentPeer(port, session, owner.client.uri, deaf))
  const messages = Array.from({ length: UNANSWERED }, () => books.message())
  const accepted = new Set<string>()
  const send = (messageId: string) =>
    Effect.map(
      owner.client.send({ toPath: [session, peer.uri], messageId, body: "x".repeat(deaf ? 50_000 : 100) }),
      () => void accepted.add(messageId)
    )
  const sending = yield* Effect.forkScoped(
    Effect.forEach(messages, (id) => Effect.ignore(send(id)), { concurrency: "unbounded" })
  )
  // More than the connection takes, or all.
  const enough = deaf ? 3 : UNANSWERED
  yield* Effect.promise(() =>
    eventually(
      () => accepted.size >= enough,
      "what is accepted for a silent peer"
    )
  )
  ready()
  yield* owner.client.closed
  yield* Fiber.await(sending)
  yield* owner.leave
  const delivered = yield* Effect.promise(peer.whole)
  return [...accepted].filter((id) => !books.reported.has(id) && !delivered.includes(id))
})

const isClosed = (client: Client.Client): Effect.Effect<boolean> =>
  Effect.map(Effect.timeoutOption(client.closed, Duration.zero), Option.isSome)

it("loses no message and no login when one relay after the other is drained and started anew, under load", async () => {
  const ports = [await freePort(), await freePort()] as const
  const run = (port: number): Promise<Started> => start({ port, env: { MSRP_DRAIN_TIMEOUT: "5s" } })
  const relays = await Promise.all(ports.map(run))
  const books = new Books()

  const load = Effect.gen(function*() {
    const server = yield* nameServer({
      [DOMAIN]: ports.map((port) => ({ priority: 1, weight: 1, port, target: "relay.example" }))
    })
    const workers = [...Array<number>(SHORT).fill(MESSAGES), ...Array<number>(LONG).fill(Infinity)]
    const worker = (messages: number) =>
      Effect.scoped(session(books, messages)).pipe(Effect.ignore, Effect.repeat({ while: () => !books.closed }))
    yield* Effect.forEach(workers, worker, { concurrency: "unbounded", discard: true }).pipe(
      Effect.provide(Layer.mergeAll(
        Transport.layerNode(),
        Codec.layer,
        Resolver.layerNode({ servers: [server.address] })
      ))
    )
  })
  const all = Effect.runPromiseExit(Effect.scoped(load))
  const layers = Layer.mergeAll(Transport.layerNode(), Codec.layer)
  /** There are messages without an answer on a relay; which of them are lost is known when it has gone. */
  const hold = async (port: number): Promise<{ readonly lost: Promise<ReadonlyArray<ReadonlyArray<string>>> }> => {
    let left = 2
    const lost = Effect.runPromise(
      Effect.forEach([true, false], (deaf) => Effect.scoped(unanswered(books, port, deaf, () => left--)), {
        concurrency: "unbounded"
      }).pipe(Effect.provide(layers))
    )
    await Promise.race([lost, eventually(() => left === 0, "messages without an answer")])
    return { lost }
  }
  /** Each relay has some clients from now on. */
  const busy = async (...some: ReadonlyArray<number>) => {
    books.logins.clear()
    await eventually(() => some.every((port) => (books.logins.get(port) ?? 0) >= 3), "logins")
  }
  try {
    await busy(...ports)
    for (const [i, port] of ports.entries()) {
      const { child } = relays[i]!
      const log = output(child)
      const held = await hold(port)
      child.kill("SIGTERM")
      await eventually(() => log.text.includes("message=draining"), "the line that it drains")
      // An answer, and not only the end of the connection, sends a client elsewhere.
      const refused = Effect.runPromise(login(books, port).pipe(Effect.flip, Effect.scoped, Effect.provide(layers)))
      assert.strictEqual((await refused as Client.ClientError).status, 408)
      assert.notInclude(log.text, "the time limit")
      await busy(ports[1 - i]!)
      assert.strictEqual(await ended(child), 0)
      assert.deepStrictEqual(await held.lost, [[], []])
      relays[i] = await run(port)
      await busy(...ports)
    }
    books.closed = true
    // Who stays sees the end, too.
    for (const { child } of relays) child.kill("SIGTERM")
    const exit = await all
    assert.isTrue(Exit.isSuccess(exit))
    for (const { child } of relays) assert.strictEqual(await ended(child), 0)
  } finally {
    books.closed = true
    for (const { child } of relays) child.kill("SIGKILL")
  }
  assert.deepStrictEqual(books.failed, [])
  assert.deepStrictEqual(books.lost, [])
  assert.isAbove(books.secondTries, 0)
  assert.isAbove(books.delivered.size, 500)
})
