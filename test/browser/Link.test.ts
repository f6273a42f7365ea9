/** The connection of a page over time, on a network and a clock of the test's own. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import type { ConnectOptions, Credentials, Msrp, Session, State } from "../../src/browser/Api.ts"
import { open } from "../../src/browser/Link.ts"
import type { MsrpError } from "../../src/browser/MsrpError.ts"
import { parseUri } from "../../src/protocol/Uri.ts"
import type { RelayOptions } from "../../src/Relay.ts"
import { TestNetwork } from "../../src/Transport.ts"
import { settled, simulated } from "../client/pair.ts"
import { PASSWORD, startRelay } from "./relay.ts"

const SOCKET = { scheme: "msrp", transport: "ws", host: "*", port: 80 } as const
const OPTIONS: ConnectOptions = { url: "ws://relay.example.com/", username: "alice", password: PASSWORD }

const relay = (options: Partial<RelayOptions> = {}) =>
  startRelay(SOCKET, { uris: [parseUri("msrp://relay.example.com:80;ws")!], ...options })

const login = (options: Partial<ConnectOptions> = {}) =>
  Effect.gen(function*() {
    const msrp = yield* open({ ...OPTIONS, ...options })
    const states: Array<State> = []
    const paths: Array<string> = []
    msrp.addEventListener("state", ({ detail }) => states.push(detail.state))
    msrp.addEventListener("path", ({ detail }) => paths.push(detail))
    yield* Effect.addFinalizer(() => close(msrp))
    return { msrp, states, paths }
  })

const close = (msrp: Msrp) =>
  Effect.gen(function*() {
    const closing = yield* Effect.forkChild(Effect.promise(() => msrp.close()))
    yield* settled
    yield* TestClock.adjust("3 seconds")
    yield* Fiber.join(closing)
  })

describe("over time", () => {
  it.effect("asks for a new path at 80 % of the time, and says which it is", () =>
    Effect.gen(function*() {
      const running = yield* relay({ authExpires: 1000 })
      const { msrp, paths, states } = yield* login()
      const { path } = msrp
      yield* TestClock.adjust("799 seconds")
      yield* settled
      assert.deepStrictEqual(paths, [])
      yield* TestClock.adjust("2 seconds")
      yield* settled
      assert.strictEqual(paths.length, 1)
      assert.notStrictEqual(msrp.path, path)
      assert.deepStrictEqual([msrp.path, states.length], [paths[0], 0])
      yield* TestClock.adjust("800 seconds")
      yield* settled
      assert.strictEqual(paths.length, 2)
      // without a challenge for each
      assert.strictEqual(running.gauges().connections, 1)
    }).pipe(Effect.scoped, Effect.provide(simulated)))

  it.effect("is open with credentials for which somebody had to think longer than a relay waits for a login", () =>
    Effect.gen(function*() {
      yield* relay()
      const thought = Promise.withResolvers<void>()
      const credentials = () => thought.promise.then(() => ({ username: "alice", password: PASSWORD }))
      const opening = yield* Effect.forkChild(login({ credentials, username: undefined, password: undefined }))
      yield* settled
      yield* TestClock.adjust("40 seconds")
      yield* settled
      thought.resolve()
      yield* Effect.promise(() => thought.promise)
      yield* settled
      const { msrp } = yield* Fiber.join(opening)
      assert.strictEqual(msrp.state, "open")
    }).pipe(Effect.scoped, Effect.provide(simulated)))

  it.effect("tries again when it is given no credentials for a while", () =>
    Effect.gen(function*() {
      yield* relay({ authExpires: 1000 })
      const given = [
        null,
        undefined,
        "alice",
        {
          get username(): string {
            throw new Error("there is no user")
          },
          password: PASSWORD
        }
      ] as ReadonlyArray<unknown>
      let asked = 0
      const { msrp, states } = yield* login({
        credentials: () => {
          const none = given[asked++ - 1]
          const known = { username: "alice", password: PASSWORD }
          return asked === 1 || asked > given.length + 1 ? known : none as Credentials
        }
      })
      yield* TestClock.adjust("801 seconds")
      for (let tries = 0; tries < given.length + 1; tries++) {
        yield* settled
        yield* TestClock.adjust("30 seconds")
      }
      yield* settled
      assert.deepStrictEqual([msrp.state, asked], ["open", given.length + 2])
      assert.notInclude(states, "closed")
    }).pipe(Effect.scoped, Effect.provide(simulated)))

  it.effect("asks for credentials each time, and is closed when they are not good any more", () =>
    Effect.gen(function*() {
      yield* relay({ authExpires: 1000 })
      let asked = 0
      const { msrp, states } = yield* login({
        credentials: () => ({ username: "alice", password: ++asked < 3 ? PASSWORD : "old" })
      })
      yield* TestClock.adjust("801 seconds")
      yield* settled
      assert.deepStrictEqual([asked, msrp.state], [2, "open"])
      yield* TestClock.adjust("801 seconds")
      yield* settled
      yield* TestClock.adjust("4 seconds")
      yield* settled
      assert.strictEqual(asked, 3)
      assert.deepStrictEqual(states, ["closed"])
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(asked, 3)
    }).pipe(Effect.scoped, Effect.provide(simulated)))

  it.effect("comes back after at most a second, then less and less often, up to 30 seconds apart", () =>
    Effect.gen(function*() {
      yield* relay()
      const { msrp, states } = yield* login()
      const network = yield* TestNetwork
      const cut = Effect.sync(() => network.connections().forEach((one) => network.cut(one)))
      yield* cut
      yield* settled
      assert.deepStrictEqual(states, ["waiting"])
      assert.strictEqual(msrp.path, "")
      yield* TestClock.adjust("1 second")
      yield* settled
      assert.deepStrictEqual(states, ["waiting", "connecting", "open"])
      yield* Effect.sync(() => network.answer("relay.example.com", 80, "Refused"))
      yield* cut
      yield* settled
      yield* TestClock.adjust("10 minutes")
      yield* settled
      const attempts = states.filter((state) => state === "connecting").length - 1
      assert.isAtLeast(attempts, 20)
      assert.isAtMost(attempts, 100)
      assert.strictEqual(msrp.state, "waiting")
    }).pipe(Effect.scoped, Effect.provide(simulated)))

  it.effect("comes back at once when the browser says that it is online", () =>
    Effect.gen(function*() {
      const browser = yield* events
      yield* relay()
      const { states } = yield* login()
      const network = yield* TestNetwork
      yield* Effect.sync(() => network.connections().forEach((one) => network.cut(one)))
      yield* settled
      assert.deepStrictEqual(states, ["waiting"])
      browser.dispatchEvent(new Event("online"))
      yield* settled
      assert.deepStrictEqual(states, ["waiting", "connecting", "open"])
    }).pipe(Effect.scoped, Effect.provide(simulated)))
})

/** The events of the window, which Node has not. */
const events = Effect.acquireRelease(
  Effect.sync(() => {
    const target = new EventTarget()
    const bound = {
      addEventListener: target.addEventListener.bind(target),
      removeEventListener: target.removeEventListener.bind(target)
    }
    Object.assign(globalThis, bound)
    return target
  }),
  () =>
    Effect.sync(() => {
      for (const name of ["addEventListener", "removeEventListener"]) Reflect.deleteProperty(globalThis, name)
    })
)

describe("what waits to be taken", () => {
  const MIB = 1_048_576

  /** Alice, and bob who writes to her: what became of a message for a session of hers. */
  const writing = Effect.gen(function*() {
    yield* relay()
    const { msrp: alice } = yield* login()
    const { msrp: bob } = yield* login({ username: "bob" })
    const send = Effect.fnUntraced(function*(session: Session, data: string | File) {
      const from = bob.session({ peer: session.path })
      const sent = yield* Effect.promise(() => from.send(data, { receipt: true }))
      yield* settled
      return yield* Effect.promise(() =>
        sent.delivered.then(({ status }) => status, (error: unknown) => (error as MsrpError).status)
      )
    })
    return { alice, send }
  })
  const text = "x".repeat(MIB)

  it.effect("is 8 MiB of messages in a session, and as much of files", () =>
    Effect.gen(function*() {
      const { alice, send } = yield* writing
      const session = alice.session()
      for (let i = 0; i < 8; i++) assert.strictEqual(yield* send(session, text), 200)
      assert.strictEqual(yield* send(session, "one more"), 413)
      assert.strictEqual(yield* send(session, new File(["one more"], "a.txt")), 200)
      assert.strictEqual(yield* send(alice.session(), "to another session"), 200)
    }).pipe(Effect.scoped, Effect.provide(simulated)))

  it.effect("is 32 MiB in all sessions", () =>
    Effect.gen(function*() {
      const { alice, send } = yield* writing
      const sessions = Array.from({ length: 6 }, () => alice.session())
      for (let i = 0; i < 32; i++) assert.strictEqual(yield* send(sessions[i % 5]!, text), 200)
      assert.strictEqual(yield* send(sessions[5]!, "one more"), 413)
      yield* Effect.promise(() => sessions[0]!.messages[Symbol.asyncIterator]().next())
      assert.strictEqual(yield* send(sessions[5]!, "one more"), 200)
    }).pipe(Effect.scoped, Effect.provide(simulated)))
})
