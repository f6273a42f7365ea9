/**
 * Tries a relay out from outside. The probe is both a client of the relay and that client's peer, and sends messages and
 * files through the relay in both directions. Works with any RFC 4976 relay.
 */
import * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { createHash, randomBytes } from "node:crypto"
import * as Client from "../../Client.ts"
import type { Codec } from "../../Codec.ts"
import type { MsrpUri } from "../../protocol/Uri.ts"
import type { Transport } from "../../Transport.ts"
import { socketText } from "../../transport/SocketText.ts"
import { Mismatch, type ProbeFailed } from "./Errors.ts"
import { explainTransport } from "./Explain.ts"
import { inLines, type ProbeReport } from "./ProbeReport.ts"
import { makeSteps } from "./Steps.ts"
import { type Address, addressOf } from "./Target.ts"

export interface ProbeOptions {
  /** URI of the relay, with a port and without a session-id. Its transport is `ws` to use WebSocket. */
  readonly relay: MsrpUri
  /** HTTP path of the WebSocket. Default `/`. */
  readonly path?: string | undefined
  readonly user: string
  readonly password: Redacted.Redacted
  /** Size of each file in octets. */
  readonly size: number
  /** Seconds without progress after which a step fails. */
  readonly timeout: number
}

/** Octets of a file that are generated at a time. */
const PIECE = 65_536
/** One party of the session. */
interface Party {
  readonly name: string
  readonly client: Client.Client
  /** To-Path to the other party. */
  readonly toPath: Client.Path
}

/** Runs the steps, and reports each with the time that it took. */
export const probe = Effect.fnUntraced(function*(
  options: ProbeOptions,
  tell: ProbeReport = inLines()
): Effect.fn.Return<void, ProbeFailed, Transport | Codec | Scope.Scope> {
  const { password, path, relay, size, timeout, user } = options
  const address = addressOf(relay, path)
  const where = socketText(address)
  const { progressed, step, succeeded } = yield* makeSteps({ relay, where, user, timeout }, tell)

  const connect = (to: Address) =>
    Client.connect({ ...to, collect: "digest", responseTimeout: `${timeout} seconds` }).pipe(
      Effect.catchTag("OptionsError", Effect.die)
    )

  /** Sends `body`, and waits until the other party has received and reported it. */
  const deliver = Effect.fnUntraced(function*(from: Party, to: Party, body: Stream.Stream<Uint8Array>, octets: number) {
    const hash = createHash("sha256")
    let moved = 0
    const sent = yield* from.client.send({
      toPath: from.toPath,
      body: Stream.tap(body, (piece) =>
        Effect.suspend(() => {
          hash.update(piece)
          progressed()
          moved += piece.length
          return octets < PIECE ? Effect.void : tell.moved(moved, octets)
        })),
      size: octets,
      successReport: true
    })
    const report = yield* Effect.repeat(from.client.reports.take, { until: (one) => one.messageId === sent.messageId })
    if (report.status !== 200) {
      return yield* new Mismatch({ message: `the REPORT was ${report.status} ${report.comment}`.trimEnd() })
    }
    const message = yield* Effect.repeat(to.client.messages.take, { until: (one) => one.messageId === sent.messageId })
    if (message.length !== octets) {
      return yield* new Mismatch({ message: `${message.length} octets of ${octets} arrived` })
    }
    if (message.sha256 !== hash.digest("hex")) return yield* new Mismatch({ message: "other octets arrived (SHA-256)" })
  })

  yield* tell.began(where)
  const owner = yield* step(`connect to ${where}`, connect(address))
  const grant = yield* step(
    `AUTH as ${user}`,
    owner.auth({ relay, username: user, password, rspauth: "optional" }),
    ({ expires, proven, used }) =>
      `granted for ${expires} s${used === undefined ? "" : ` with ${used.challenge.algorithm}`}` +
      (proven ? "" : " (the relay did not prove that it knows the password)")
  )
  const shown = grant.usePath.at(-1)!
  const inward = addressOf(shown, path)
  const peerClient = socketText(inward) === where
    ? yield* step(`connect the peer to ${where}`, connect(address))
    : yield* step(
      `connect the peer to ${socketText(inward)}`,
      connect(inward).pipe(
        Effect.map((client) => ({ client, note: "" })),
        Effect.catch((error) =>
          Effect.map(connect(address), (client) => ({
            client,
            note: `the relay's Use-Path cannot be reached (${explainTransport(error)}), went to ${where} instead`
          }))
        )
      ),
      ({ note }) => note
    ).pipe(Effect.map(({ client }) => client))

  const us: Party = { name: user, client: owner, toPath: [...grant.usePath, peerClient.uri] }
  const peer: Party = { name: "the peer", client: peerClient, toPath: Client.peerPath(grant, owner.uri) }
  const hello = Buffer.from("Hello from the probe: \u00a1Hola! \u{1f44b}\r\n-------not the end$\r\n")
  // The peer sends first, so that the relay knows which connection leads to it.
  for (const [from, to] of [[peer, us], [us, peer]] as const) {
    yield* step(`message from ${from.name} to ${to.name}`, deliver(from, to, Stream.make(hello), hello.length))
  }
  const file = `${size.toLocaleString("en")} octets`
  for (const [from, to] of [[peer, us], [us, peer]] as const) {
    yield* step(
      `file of ${file} from ${from.name} to ${to.name}`,
      deliver(from, to, randomOctets(size), size),
      (_, millis) => `${(size / 1_048_576 / Math.max(millis, 1) * 1000).toFixed(1)} MiB/s`
    )
  }
  yield* succeeded
})

const randomOctets = (size: number): Stream.Stream<Uint8Array> =>
  Stream.unfold(
    size,
    (left) =>
      Effect.sync(() =>
        left === 0 ? undefined : [randomBytes(Math.min(PIECE, left)), left - Math.min(PIECE, left)] as const
      )
  )
