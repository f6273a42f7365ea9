/**
 * Measures the relay's memory where it could grow: with one chunk as long as a file, and with one receiver among many that does
 * not read. Each case has a relay of its own, over TCP.
 *
 *   npm run bench:memory
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { strict as assert } from "node:assert"
import { createHash, randomBytes } from "node:crypto"
import * as Client from "../src/Client.ts"
import { Codec } from "../src/Codec.ts"
import { Transport } from "../src/Transport.ts"
import { usage } from "./cpu.ts"
import type { Account } from "./digest.ts"
import type { Target } from "./link.ts"
import { ownRelay } from "./relays.ts"
import { run } from "./usage.ts"

const GIBIBYTE = 2 ** 30
const SESSIONS = 200
const MESSAGES = 40
const MESSAGE = 60_000
/** Octets that are sent to the receiver that does not read, and milliseconds within which the others must have got their messages. */
const FROZEN = 524_288_000
const PATIENCE = 60_000

const account: Account = { user: "bench", password: "secret" }
const piece = randomBytes(65_536)
const file = (octets: number) => Stream.range(1, octets / piece.length).pipe(Stream.map(() => piece))

/** The owner of a session, and a peer that knows its URI. */
const pair = Effect.fnUntraced(function*({ host, port, uri }: Target) {
  const connect = Client.connect({ scheme: "msrp", host, port, collect: "digest" })
  const [owner, peer] = [yield* connect, yield* connect]
  const grant = yield* owner.auth({ relay: uri, username: account.user, password: account.password })
  return { owner, peer, toPath: Client.peerPath(grant, owner.uri) }
})

const oneChunk = Effect.fnUntraced(function*(target: Target) {
  const { owner, peer, toPath } = yield* pair(target)
  const sent = createHash("sha256")
  for (let at = 0; at < GIBIBYTE; at += piece.length) sent.update(piece)
  yield* Effect.forkScoped(peer.send({ toPath, body: file(GIBIBYTE), size: GIBIBYTE, chunkSize: Infinity }))
  const { length, sha256 } = yield* owner.messages.take
  assert.deepEqual([length, sha256], [GIBIBYTE, sent.digest("hex")])
})

const frozenReader = Effect.fnUntraced(function*(target: Target) {
  const [frozen, ...others] = yield* Effect.replicateEffect(pair(target), SESSIONS)
  yield* frozen!.owner.pause
  yield* Effect.forkScoped(frozen!.peer.send({ toPath: frozen!.toPath, body: file(FROZEN), size: FROZEN }))
  const body = randomBytes(MESSAGE)
  yield* Effect.forEach(others, ({ owner, peer, toPath }) =>
    Effect.gen(function*() {
      for (let i = 0; i < MESSAGES; i++) yield* peer.send({ toPath, body })
      for (let i = 0; i < MESSAGES; i++) assert.equal((yield* owner.messages.take).length, MESSAGE)
    }), { concurrency: "unbounded" }).pipe(Effect.timeout(PATIENCE))
})

const measure = (what: string, scenario: (target: Target) => Effect.Effect<void, unknown, Needs>) =>
  Effect.gen(function*() {
    const relay = yield* Effect.acquireRelease(
      Effect.promise(() => ownRelay().start(here)),
      ({ stop }) => Effect.promise(stop)
    )
    const peak = () => ((usage([relay.pid]).peak ?? NaN) / 1e6).toFixed(0)
    const [before, start] = [peak(), performance.now()]
    yield* scenario(relay.target)
    const seconds = ((performance.now() - start) / 1000).toFixed(1)
    process.stdout.write(`${what}: ${seconds} s, the relay's peak ${peak()} MB (${before} MB before)\n`)
  }).pipe(Effect.scoped, Effect.provide(Layer.merge(Transport.layerNode(), Codec.layer)))

type Needs = Transport | Codec | Scope.Scope
const here = { transport: "tcp", account, processors: undefined } as const

const help = `Usage: npm run bench:memory

The relay's memory while a chunk of 1 GiB passes, and while one of ${SESSIONS} sessions reads nothing. It has no options.
`

await run(help, {}, () =>
  Effect.runPromise(Effect.andThen(
    measure("1 GiB in one chunk", oneChunk),
    measure(`${SESSIONS} sessions, one of which reads nothing`, frozenReader)
  )))
