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
import { assert, it, vi } from "vitest"
import * as Client from "../../src/Client.ts"
import { Codec } from "../../src/Codec.ts"
import * as Resolver from "../../src/Resolver.ts"
import { Transport } from "../../src/Transport.ts"
import { nameServer } from "../support/nameServer.ts"
import { ended, eventually, freePort, start, type Started } from "../support/service.ts"

vi.setConfig({ testTimeout: 300_000 })

const DOMAIN = "_msrp._tcp.relays.example"

/** Clients that come and go, and those that stay until they are cut. */
const SHORT = 6
const LONG = 2
/** Messages of a client that goes. */
const MESSAGES = 20

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

const isClosed = (client: Client.Client): Effect.Effect<boolean> =>
  Effect.map(Effect.timeoutOption(client.closed, Duration.zero), Option.isSome)

it("loses no message and no login when one relay after the other is drained and started anew, under load", async () => {
  const ports = [await freePort(), await freePort()] as const
  const run = (port: number): Promise<Started> => start({ port, env: { MSRP_DRAIN_TIMEOUT: "2s" } })
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
  /** Each relay has some clients from now on. */
  const busy = async (...some: ReadonlyArray<number>) => {
    books.logins.clear()
    await eventually(() => some.every((port) => (books.logins.get(port) ?? 0) >= 3), "logins")
  }
  try {
    await busy(...ports)
    for (const [i, port] of ports.entries()) {
      const { child } = relays[i]!
      child.stdout!.resume()
      child.kill("SIGTERM")
      await busy(ports[1 - i]!)
      assert.strictEqual(await ended(child), 0)
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
