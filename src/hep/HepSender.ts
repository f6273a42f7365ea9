/**
 * Sends traced frames to a capture server by HEP 3, such as Homer or heplify-server. If the server is slow or
 * unreachable, frames are dropped and counted, and the relay is not affected.
 */
import * as NodeDatagramSocket from "@effect/platform-node/NodeDatagramSocket"
import * as NodeSocket from "@effect/platform-node/NodeSocket"
import type * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { hostOf } from "../net/Hosts.ts"
import { causesOf, wordsOfCode } from "../net/ServerFault.ts"
import { Relay } from "../Relay.ts"
import { linesOf } from "../trace/Text.ts"
import type { TraceFrame } from "../trace/TraceFrame.ts"
import { type Address, addressText } from "../transport/Connection.ts"
import { encodeHep3, type HepPacket } from "./Hep3.ts"

export interface HepOptions {
  readonly transport: "udp" | "tcp"
  /** A host name or an IP address (IPv6 without brackets). */
  readonly host: string
  readonly port: number
  /** The users whose frames are sent: user names, or `*` for all. */
  readonly users: ReadonlyArray<string> | "*"
  /** The node number of this relay: 0 to 4294967295. */
  readonly captureId: number
  /** The key that authorizes the sender. It is sent unencrypted. */
  readonly key?: Redacted.Redacted | undefined
}

/** Pause before connecting again; it doubles up to the next constant. */
const FIRST_PAUSE = "1 second"
const LONGEST_PAUSE = "30 seconds"

/** Interval at which the name of a UDP server is resolved again. */
const RESOLVE_AGAIN = "10 minutes"

const OPEN_TIMEOUT = "10 seconds"

/** Time between two reports of lost frames. */
const LOST = "1 minute"

const addressOf = (text: string): Address => ({
  host: hostOf(text),
  port: Number(text.slice(text.lastIndexOf(":") + 1))
})

/** The label of the session, or else the first label in the headers, which is that of the client itself. */
const correlationOf = ({ headers, session }: TraceFrame): string | undefined =>
  session ?? /~([0-9a-f]{12})/.exec(headers.join("\n"))?.[1]

/** A traced frame as a packet. */
export const packetOf = (frame: TraceFrame, { captureId, key }: Pick<HepOptions, "captureId" | "key">): HepPacket => {
  const [remote, local] = [addressOf(frame.remote), addressOf(frame.local)]
  const [source, destination] = frame.direction === "in" ? [remote, local] : [local, remote]
  return {
    source,
    destination,
    time: frame.time,
    captureId,
    key: key === undefined ? undefined : Redacted.value(key),
    correlation: correlationOf(frame),
    payload: linesOf(frame).map((line) => `${line}\r\n`).join("")
  }
}

/** A socket to the server, which can be opened repeatedly. */
export interface Way {
  /** Writes packets to the open socket. Returns the number of packets that were lost. */
  readonly write: (packets: Arr.NonEmptyReadonlyArray<Uint8Array>) => Effect.Effect<number>
  /** Opens the socket, and runs `opened`. Ends or fails when the socket is closed. */
  readonly open: (opened: Effect.Effect<void>) => Effect.Effect<void, unknown, Scope.Scope>
}

const datagrams = Effect.fnUntraced(function*({ host, port }: HepOptions): Effect.fn.Return<Way, never, Scope.Scope> {
  const socket = yield* NodeDatagramSocket.make({ peer: { address: host, port } })
  const writer = yield* socket.writer
  return {
    // Written one by one, so that the others are sent if one fails.
    write: (packets) =>
      Effect.reduce(
        packets,
        () => 0,
        (lost, payload) => Effect.match(writer.write({ payload }), { onFailure: () => lost + 1, onSuccess: () => lost })
      ),
    open: Effect.fnUntraced(function*(opened) {
      const reader = yield* socket.reader
      yield* opened
      // The server sends nothing; reading detects the end of the socket.
      yield* Effect.timeoutOption(Effect.forever(reader.pull), RESOLVE_AGAIN)
    })
  }
})

const stream = Effect.fnUntraced(function*({ host, port }: HepOptions): Effect.fn.Return<Way, never, Scope.Scope> {
  const socket = yield* NodeSocket.makeNet({ host, port, openTimeout: OPEN_TIMEOUT, keepAlive: true, noDelay: true })
  const writer = yield* socket.writer
  return {
    write: (packets) => Effect.match(writer.writeAll(packets), { onFailure: () => packets.length, onSuccess: () => 0 }),
    open: Effect.fnUntraced(function*(opened) {
      const reader = yield* socket.reader
      yield* opened
      yield* Effect.forever(reader.pull)
    })
  }
})

/** Why a socket could not be opened, or is closed, in words: Effect's errors have the cause within, or say it by their tag. */
const reasonOf = (error: unknown): string => {
  for (const { _tag, code, kind } of causesOf(error)) {
    if (_tag === "SocketCloseError") return "the other side has closed the connection"
    if (_tag === "SocketOpenError" && kind === "Timeout") return "no answer in time"
    if (typeof code === "string") return wordsOfCode(code) ?? code
  }
  return "failed"
}

/** Keeps the socket open. Logs once when it is lost, and once when it is back. */
export const keepOpen = (way: Way, target: string): Effect.Effect<never> => {
  let told: "up" | "down" | undefined
  const tell = (now: "up" | "down", line: Effect.Effect<void>): Effect.Effect<void> =>
    Effect.suspend(() => {
      if (told === now) return Effect.void
      told = now
      return Effect.annotateLogs(line, { target })
    })
  const opened = tell("up", Effect.logInfo("traced frames are sent by HEP"))
  const pauses = Schedule.min([Schedule.exponential(FIRST_PAUSE), Schedule.spaced(LONGEST_PAUSE)])
  const once = Effect.suspend(() => {
    let isOpen = false
    return Effect.scoped(way.open(Effect.andThen(Effect.sync(() => isOpen = true), opened))).pipe(
      Effect.tapError((error) =>
        tell(
          "down",
          Effect.annotateLogs(Effect.logWarning("the HEP server cannot be reached"), { reason: reasonOf(error) })
        )
      ),
      Effect.catch((error) => isOpen ? Effect.void : Effect.fail(error))
    )
  })
  // Pauses grow as long as opening fails, and start anew after a success.
  return Effect.retry(once, pauses).pipe(Effect.orDie, Effect.andThen(Effect.sleep(FIRST_PAUSE)), Effect.forever)
}

/** Sends all frames of a trace until it ends. */
export const send = Effect.fnUntraced(function*<E>(
  frames: Stream.Stream<TraceFrame, E>,
  options: HepOptions
): Effect.fn.Return<void, E, Scope.Scope> {
  const { host, port, transport } = options
  const target = `${transport}:${addressText({ host, port })}`
  const way = yield* transport === "udp" ? datagrams(options) : stream(options)
  let lost = 0
  const tellLost = Effect.suspend(() => {
    const frames = lost
    lost = 0
    return frames === 0
      ? Effect.void
      : Effect.annotateLogs(Effect.logWarning("traced frames were not sent by HEP"), { target, frames })
  })
  yield* Effect.forkScoped(keepOpen(way, target))
  yield* Effect.forkScoped(Effect.forever(Effect.delay(tellLost, LOST)))
  yield* Stream.runForEachArray(frames, (some) =>
    Effect.suspend(() => {
      for (const { dropped = 0 } of some) lost += dropped
      const packets = some.map((frame) => encodeHep3(packetOf(frame, options)))
      return Effect.map(way.write(packets as [Buffer, ...Array<Buffer>]), (not) => {
        lost += not
      })
    }))
  yield* tellLost
})

/** Sends the frames of the relay's users while the layer lives. */
export const layer = (options: HepOptions): Layer.Layer<never, never, Relay> =>
  Layer.effectDiscard(
    Effect.gen(function*() {
      const relay = yield* Relay
      yield* Effect.forkScoped(Effect.orDie(send(relay.trace({ users: options.users }), options)))
    })
  )
