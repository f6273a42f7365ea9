/**
 * Sends what is traced to a capture server by HEP 3: Homer, heplify-server and the like. The server may be slow, or gone: then
 * frames are dropped and counted, and the relay does not notice.
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
  /** Whose frames are sent: names of users, or `*` for everybody. */
  readonly users: ReadonlyArray<string> | "*"
  /** Which node of the server's the relay is: 0 to 4294967295. */
  readonly captureId: number
  /** What the server wants to see from those who may send. It is sent as it is. */
  readonly key?: Redacted.Redacted | undefined
}

/** Until the server is tried again: twice as long each time, up to this. */
const FIRST_PAUSE = "1 second"
const LONGEST_PAUSE = "30 seconds"

/** Its address may be another one now. */
const RESOLVE_AGAIN = "10 minutes"

const OPEN_TIMEOUT = "10 seconds"

/** How often it is told how many frames were lost. */
const LOST = "1 minute"

const addressOf = (text: string): Address => {
  const colon = text.lastIndexOf(":")
  return { host: text.slice(0, colon).replace(/^\[|\]$/g, ""), port: Number(text.slice(colon + 1)) }
}

/** The label of the session; where there is none yet, that of the client's own. */
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

/** A way to the server, which is opened, and opened again. */
export interface Way {
  /** Writes packets, once it is open; how many of them were lost. */
  readonly write: (packets: Arr.NonEmptyReadonlyArray<Uint8Array>) => Effect.Effect<number>
  /** Opens it; `opened` is run then. Ends, or fails, when it is closed. */
  readonly open: (opened: Effect.Effect<void>) => Effect.Effect<void, unknown, Scope.Scope>
}

const datagrams = Effect.fnUntraced(function*({ host, port }: HepOptions): Effect.fn.Return<Way, never, Scope.Scope> {
  const socket = yield* NodeDatagramSocket.make({ peer: { address: host, port } })
  const writer = yield* socket.writer
  return {
    // One by one: the rest goes out when one does not.
    write: (packets) =>
      Effect.reduce(
        packets,
        () => 0,
        (lost, payload) => Effect.match(writer.write({ payload }), { onFailure: () => lost + 1, onSuccess: () => lost })
      ),
    open: Effect.fnUntraced(function*(opened) {
      const reader = yield* socket.reader
      yield* opened
      // Nobody answers; its end is what counts.
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

/** What went wrong, in a few words; the errors of sockets have it at their end. */
const reasonOf = (error: unknown): string => {
  let cause = error
  for (let i = 0; i < 5 && typeof cause === "object" && cause !== null; i++) {
    const { cause: deeper, code, reason } = cause as { code?: unknown; cause?: unknown; reason?: unknown }
    if (typeof code === "string") return code
    cause = deeper ?? reason
  }
  return error instanceof Error ? error.name : "closed"
}

/** Keeps the way open. Its loss is told once, and so is its return. */
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
  // Pauses grow as long as it cannot be opened at all.
  return Effect.retry(once, pauses).pipe(Effect.orDie, Effect.andThen(Effect.sleep(FIRST_PAUSE)), Effect.forever)
}

/** Sends all frames of a trace, until it ends. */
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

/** Sends the frames of the relay's users while it runs. */
export const layer = (options: HepOptions): Layer.Layer<never, never, Relay> =>
  Layer.effectDiscard(
    Effect.gen(function*() {
      const relay = yield* Relay
      yield* Effect.forkScoped(Effect.orDie(send(relay.trace({ users: options.users }), options)))
    })
  )
