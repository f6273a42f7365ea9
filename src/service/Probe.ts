/**
 * Tries a relay out, from outside: `msrp-relay probe`. It is the relay's client and that client's peer at once, and
 * sends messages and files through the relay both ways. Any RFC 4976 relay will do.
 */
import * as ByteSize from "effect/ByteSize"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { createHash, randomBytes } from "node:crypto"
import * as Client from "../Client.ts"
import { monotonicMillis } from "../clock/Monotonic.ts"
import { Codec } from "../Codec.ts"
import { DEFAULT_PORT, type MsrpUri, parseUri } from "../protocol/Uri.ts"
import type { TransportError } from "../Transport.ts"
import { Transport } from "../Transport.ts"
import { socketText } from "../transport/SocketText.ts"
import { passwordFlags, passwordOf } from "./Password.ts"
import { asJson, inLines, type ProbeReport, type ProbeStep } from "./probe/ProbeReport.ts"
import { readTls } from "./settings/TlsFiles.ts"

/** A step did not succeed. The message is for people: which step, what was seen, and what may help. */
export class ProbeFailed extends Data.TaggedError("ProbeFailed")<{
  readonly step: string
  readonly message: string
}> {}

export interface ProbeOptions {
  /** The relay's URI, with a port and without a session-id; of the transport `ws` where it is to be reached by WebSocket. */
  readonly relay: MsrpUri
  /** Where the WebSocket is opened. Default `/`. */
  readonly path?: string | undefined
  readonly user: string
  readonly password: Redacted.Redacted
  /** Octets of the files. */
  readonly size: number
  /** Seconds without progress after which a step fails. */
  readonly timeout: number
}

/** Octets of a file that are made at a time. */
const PIECE = 65_536

interface Address {
  readonly scheme: "msrp" | "msrps"
  readonly transport: "tcp" | "ws"
  readonly host: string
  readonly port: number
  /** With `ws` only. */
  readonly path?: string | undefined
}

/** Where a URI leads to. `path`: that of WebSockets, which no MSRP URI tells. */
const addressOf = ({ host, port = DEFAULT_PORT, scheme, transport }: MsrpUri, path: string | undefined): Address =>
  transport.toLowerCase() === "ws"
    ? { scheme, transport: "ws", host, port, path: path ?? "/" }
    : { scheme, transport: "tcp", host, port }

/** One party of the session. */
interface Party {
  readonly name: string
  readonly client: Client.Client
  /** To-Path to the other one. */
  readonly toPath: Client.Path
}

/** Runs the steps, and tells each with the time that it took: by default in lines. */
export const probe = Effect.fnUntraced(function*(
  options: ProbeOptions,
  tell: ProbeReport = inLines()
): Effect.fn.Return<void, ProbeFailed, Transport | Codec | Scope.Scope> {
  const { password, path, relay, size, timeout, user } = options
  const clock = yield* Clock.Clock
  const now = (): number => Math.round(monotonicMillis(clock))
  const began = now()
  const address = addressOf(relay, path)
  const where = socketText(address)
  let progress = 0
  const steps: Array<ProbeStep> = []
  const ended = (failure: string | undefined) =>
    Effect.suspend(() => tell.ended({ relay: where, user, millis: now() - began, steps, failure }))

  /** Fails when nothing has moved for as long as the timeout. */
  const watched = <A, E, R>(effect: Effect.Effect<A, E, R>) => {
    let seen = -1
    const stalled = Effect.suspend(() => {
      if (seen === progress) return Effect.succeed(true)
      seen = progress
      return Effect.succeed(false)
    })
    const watch = Effect.repeat(Effect.delay(stalled, `${timeout} seconds`), { until: (is) => is })
    return Effect.raceFirst(effect, Effect.andThen(watch, Effect.fail(new Stalled({ timeout }))))
  }

  const step = Effect.fnUntraced(function*<A, R>(
    name: string,
    effect: Effect.Effect<A, TransportError | Client.ClientError | Stalled | Mismatch, R>,
    detail: (result: A, millis: number) => string = () => ""
  ) {
    const start = now()
    progress++
    const result = yield* Effect.result(watched(effect))
    const millis = now() - start
    const ok = result._tag === "Success"
    const one = { name, ok, millis, detail: ok ? detail(result.success, millis) : "" }
    yield* tell.step(one)
    steps.push(one)
    if (ok) return result.success
    const why = explain(result.failure, options)
    yield* ended(`${name}: ${why}`)
    return yield* new ProbeFailed({ step: name, message: `probe failed: ${name}: ${why}` })
  })

  const connect = (to: Address) =>
    Client.connect({ ...to, collect: "digest", responseTimeout: `${timeout} seconds` }).pipe(
      Effect.catchTag("OptionsError", Effect.die)
    )

  /** Sends `body` and waits until the other one has it and has reported it. */
  const deliver = Effect.fnUntraced(function*(from: Party, to: Party, body: Stream.Stream<Uint8Array>, octets: number) {
    const hash = createHash("sha256")
    let moved = 0
    const sent = yield* from.client.send({
      toPath: from.toPath,
      body: Stream.tap(body, (piece) =>
        Effect.suspend(() => {
          hash.update(piece)
          progress++
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
  // the peer speaks first, so the relay knows the connection to it
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
  yield* ended(undefined)
})

class Stalled extends Data.TaggedError("Stalled")<{ readonly timeout: number }> {}

/** What arrived is not what was sent. */
class Mismatch extends Data.TaggedError("Mismatch")<{ readonly message: string }> {}

const randomOctets = (size: number): Stream.Stream<Uint8Array> =>
  Stream.unfold(
    size,
    (left) =>
      Effect.sync(() =>
        left === 0 ? undefined : [randomBytes(Math.min(PIECE, left)), left - Math.min(PIECE, left)] as const
      )
  )

/** What was seen, and what may help. */
const explain = (
  error: TransportError | Client.ClientError | Stalled | Mismatch,
  { relay, timeout }: ProbeOptions
): string => {
  switch (error._tag) {
    case "Mismatch":
      return error.message
    case "Stalled":
      return `nothing happened for ${timeout} seconds`
    case "ClientError":
      return explainClient(error, relay)
    case "TransportError":
      return explainTransport(error)
  }
}

/** The same with TLS, as an option; nothing where there is TLS. */
const overTls = ({ scheme, transport }: MsrpUri): string | undefined =>
  scheme === "msrps" ? undefined : `--relay ${transport === "ws" ? "wss" : "msrps"}://...`

const explainClient = (error: Client.ClientError, relay: MsrpUri): string => {
  const tls = overTls(relay)
  switch (error.status) {
    case 401:
      return `401, user name or password is wrong, in the realm ${relay.host} unless MSRP_AUTH_REALM is another. ` +
        "(A relay without any configuration prints the password of its user `demo` when it starts.)"
    case 403:
      return `403, not allowed${tls === undefined ? "" : `: perhaps only over TLS, with ${tls}`}`
    case 481:
      return "481, the relay does not know its own Use-Path URI any more, or not the way to the other party"
    case undefined:
      return error.reason === "Closed"
        ? `${error.message}${tls === undefined ? "" : `: perhaps the relay speaks TLS there, with ${tls}`}`
        : error.message
    default:
      return error.message
  }
}

const explainTransport = (error: TransportError): string => {
  const { message, reason, target } = error
  switch (reason) {
    case "Refused":
      return `nobody listens at ${target}`
    case "Timeout":
      return `no answer from ${target}`
    case "NameNotFound":
      return `the host name of ${target} has no address`
    case "Certificate":
      return `the relay's certificate is not accepted (${message}); --ca says whom to trust, --insecure takes a self-signed one`
    case "WebSocket":
      return `cannot ${message}`
    default:
      return `cannot ${message}${/^(?:msrps|wss):/.test(target) ? "; is TLS spoken there?" : ""}`
  }
}

/** A relay to try out, and the path where its WebSockets are opened. */
export interface Place {
  readonly relay: MsrpUri
  readonly path?: string
}

/** What `--relay` says: an MSRP URI, or that of a WebSocket. */
export const parseRelay = (text: string): Option.Option<Place> => {
  const [, tls, authority, path = "/"] = /^ws(s?):\/\/([^/?#;\s]+)(\/[\x21\x24-\x7e]*)?$/i.exec(text) ?? []
  if (authority === undefined) return Option.map(parseMsrp(text), (relay) => ({ relay }))
  const scheme = tls === "" ? "msrp" : "msrps"
  const port = /:\d+$/.test(authority) ? "" : tls === "" ? ":80" : ":443"
  const relay = parseUri(`${scheme}://${authority}${port};ws`)
  return Option.map(Option.fromUndefinedOr(relay), (relay) => ({ relay, path }))
}

const parseMsrp = (text: string): Option.Option<MsrpUri> => {
  const [, scheme, authority, parameters = ";tcp"] = /^(msrps?):\/\/([^/?#;\s]+)\/?(;\S*)?$/i.exec(text) ?? []
  if (authority === undefined) return Option.none()
  // Before it is parsed: a URI of an address has to have a port (RFC 4975 section 6).
  const port = /:\d+$/.test(authority) ? "" : `:${DEFAULT_PORT}`
  return Option.fromUndefinedOr(parseUri(`${scheme}://${authority}${port}${parameters}`)).pipe(
    Option.filter(({ transport }) => transport.toLowerCase() === "tcp")
  )
}

const parseSize = (text: string): Option.Option<number> =>
  /^\d{1,15}$/.test(text)
    ? Option.some(Number(text))
    : Option.flatMap(ByteSize.fromString(text), ByteSize.toNumber)

/** Whom to trust. */
const trust = Effect.fnUntraced(function*(ca: Option.Option<string>) {
  if (Option.isNone(ca)) return {}
  const { problems: [problem], tls } = yield* readTls({ cert: [], key: [], ca: ca.value }, [])
  if (problem === undefined) return tls
  return yield* new ProbeFailed({ step: "--ca", message: `${ca.value} cannot be used: ${problem.problem}` })
})

/** `msrp-relay probe`: fails with `ProbeFailed` (whose message says everything), thus a non-zero exit code. */
export const probeCommand = Command.make(
  "probe",
  {
    relay: Flag.String("relay").pipe(
      Flag.withDescription(
        "The relay: msrp:// for TCP, msrps:// for TLS (port 2855 when absent); " +
          "ws:// and wss:// for WebSocket, with the path (port 80 and 443 when absent)"
      ),
      Flag.withMetavar("URI"),
      Flag.withDefault("msrp://localhost:2855"),
      Flag.filterMap(
        parseRelay,
        () => "the URI of a relay, such as msrps://relay.example.com:2855 or wss://relay.example.com/msrp"
      )
    ),
    user: Flag.String("user").pipe(
      Flag.withDescription("User to log in as; `demo` when absent"),
      Flag.withMetavar("NAME"),
      Flag.withDefault("demo")
    ),
    ...passwordFlags,
    ca: Flag.String("ca").pipe(
      Flag.withDescription(
        "File of certificates (PEM) that vouch for the relay's, instead of those that Node.js knows"
      ),
      Flag.withMetavar("PATH"),
      Flag.optional
    ),
    insecure: Flag.Boolean("insecure").pipe(
      Flag.withoutNegation,
      Flag.withDescription("Take a self-signed certificate, whatever name it is for"),
      Flag.withDefault(false)
    ),
    json: Flag.Boolean("json").pipe(
      Flag.withoutNegation,
      Flag.withDescription("Print one JSON document at the end"),
      Flag.withDefault(false)
    ),
    size: Flag.String("size").pipe(
      Flag.withMetavar("SIZE"),
      Flag.withDescription("Size of the file that is sent each way, such as 20MB; 1 MiB when absent"),
      Flag.withDefault("1 MiB"),
      Flag.filterMap(parseSize, () => "a size, such as 500000, 20MB or 1.5GiB")
    ),
    timeout: Flag.Int("timeout").pipe(
      Flag.withDescription("Seconds without progress after which a step fails; 10 when absent"),
      Flag.withMetavar("SECONDS"),
      Flag.withDefault(10),
      Flag.filter((seconds) => seconds > 0, () => "one second or more")
    )
  },
  Effect.fnUntraced(function*({ ca, insecure, json, relay, ...options }) {
    const tls = yield* trust(ca)
    const password = yield* passwordOf(options)
    const { stderr } = process
    const report = json ? asJson : inLines(stderr.isTTY && process.env["TERM"] !== "dumb" ? stderr : undefined)
    yield* Effect.scoped(probe({ ...options, ...relay, password }, report)).pipe(
      Effect.provide(
        Layer.merge(
          Transport.layerNode({ allowSelfSigned: insecure, connectTimeout: options.timeout, tls }),
          Codec.layer
        )
      )
    )
  })
).pipe(
  Command.withDescription(
    "Tries a relay out: logs in, and sends messages and files through it both ways. Ends with exit code 1 at the first step that fails"
  ),
  Command.withShortDescription("Tries a relay out: sends messages and files through it"),
  Command.withExamples([
    {
      command: "msrp-relay probe",
      description: "The relay on this machine, as `demo`, whose password it logs"
    },
    {
      command: "msrp-relay probe --relay msrps://relay.example.com --user alice --size 20MB",
      description: "Another relay, with a larger file"
    },
    {
      command: "msrp-relay probe --relay wss://relay.example.com/msrp --user alice",
      description: "By WebSocket, as a browser does"
    }
  ])
)
