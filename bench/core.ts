/**
 * Measures the relay without sockets: the processor time of one SEND with its answers, from the octets that come in to the
 * octets that are given to the connections.
 *
 * The relay is complete; only its transport is replaced by one that passes octets on. The time for making the octets is not
 * counted. Each run is a process of its own, and the fastest one counts, because other work of the machine only adds to the
 * time. With `--against`, runs of another checkout alternate with runs of this one.
 */
import { Effect, Layer, ManagedRuntime } from "effect"
import { spawnSync } from "node:child_process"
import { resolve } from "node:path"
import { fileURLToPath } from "node:url"
import { Authenticator } from "../src/Authenticator.ts"
import { Codec } from "../src/Codec.ts"
import { Relay } from "../src/Relay.ts"
import { SessionRepo } from "../src/SessionRepo.ts"
import { SocketSelector } from "../src/SocketSelector.ts"
import { type Connection, type LocalSocket, type Receiver, Transport } from "../src/Transport.ts"
import { WebSocketConnection } from "../src/transport/websocket/WebSocketConnection.ts"
import { positive, run, UsageError, whole } from "./usage.ts"
import { MAX_HEAD, writeHead } from "./webSocket.ts"

const usage = `What the relay costs without sockets: microseconds of one processor for each SEND with its answers.

  npm run bench:core -- [options]

  --runs <n>          runs of each scenario, each in a process of its own (default 6)
  --seconds <n>       how long one run measures (default 1)
  --only <name>       one scenario alone (may be repeated)
  --against <folder>  another checkout with this benchmark, measured in turn with this one
  --ws                by WebSocket, measured in turn with TCP
  --help              this text
`

interface Scenario {
  readonly name: string
  readonly what: string
  /** Octets of each body. */
  readonly size: number
  /** SENDs in one read. */
  readonly batch: number
  /** Reads before the relay writes: one turn of the event loop for each. */
  readonly turns: number
  readonly failureReport: boolean
}

const scenarios: ReadonlyArray<Scenario> = [
  { name: "batch", what: "300 octets, 50 in a read", size: 300, batch: 50, turns: 1, failureReport: true },
  { name: "single", what: "300 octets, one in a read", size: 300, batch: 1, turns: 50, failureReport: true },
  { name: "batch-no", what: "the same 50, Failure-Report no", size: 300, batch: 50, turns: 1, failureReport: false },
  { name: "8k", what: "8,192 octets, 8 in a read", size: 8192, batch: 8, turns: 1, failureReport: true },
  { name: "60k", what: "60,000 octets, 4 in a read", size: 60_000, batch: 4, turns: 1, failureReport: true }
]

/** Octets of one read, as many as the transport for sockets reads. */
const READ = 262_144

/** The most turns of the event loop for one read. */
const MAX_TURNS = 100

/** Milliseconds until the code is compiled, and milliseconds of each part of a run that is timed. */
const WARM_UP = 1000
const STRETCH = 50

/** A connection whose output is passed to `sees`, and counts as written when the turn is over. */
class Wire implements Connection {
  readonly transport = "tcp"
  readonly messages = undefined
  readonly inbound = true
  readonly secure = false
  readonly local = { host: "127.0.0.1", port: 2855 }
  readonly remote = { host: "127.0.0.1", port: 40_000 }
  readonly socket = undefined
  readonly peerNames: ReadonlyArray<string> = []
  readonly #taken: Array<() => void>
  sees: ((octets: Buffer) => void) | undefined
  receiver!: Receiver
  /** Whether the rest of this read is to be handled in a later turn. */
  paused = false

  constructor(taken: Array<() => void>) {
    this.#taken = taken
  }
  write(bytes: Uint8Array, written: () => void): void {
    this.sees?.(bytes as Buffer)
    this.#taken.push(written)
  }
  pending(): number {
    return 0
  }
  pause(): void {
    this.paused = true
  }
  resume(): void {
    this.paused = false
  }
  end(): void {
    throw new Error("the relay has closed a connection")
  }
  destroy(): void {}
}

const frame = (method: string, id: string, lines: ReadonlyArray<string>, body?: Buffer): Buffer =>
  Buffer.concat([
    Buffer.from(`MSRP ${id} ${method}\r\n${lines.map((line) => `${line}\r\n`).join("")}`, "latin1"),
    ...body === undefined ? [] : [Buffer.from("\r\n"), body, Buffer.from("\r\n")],
    Buffer.from(`-------${id}$\r\n`, "latin1")
  ])

/** Each frame as a message of a WebSocket. */
const message = (frame: Buffer): Buffer => {
  const head = Buffer.allocUnsafe(MAX_HEAD)
  return Buffer.concat([head.subarray(0, writeHead(head, 0, frame.length)), frame])
}

/** Returns the microseconds for each SEND. */
const measure = async (scenario: Scenario, seconds: number, byMessages: boolean): Promise<number> => {
  const taken: Array<() => void> = []
  const tasks: Array<() => void> = []
  let accept!: (connection: Connection) => Receiver
  const listen: ReadonlyArray<LocalSocket> = [{ scheme: "msrp", host: "127.0.0.1", port: 2855 }]
  const layer = Relay.layer({ listen }).pipe(
    Layer.provide([
      Layer.succeed(Transport)({
        listen: (socket, accepts) => {
          accept = accepts
          return Effect.succeed(socket)
        },
        connect: () => Effect.die("nothing is dialled"),
        identity: () => 0,
        defer: (task) => void tasks.push(task)
      }),
      Codec.layer,
      SessionRepo.layerMemory(),
      SocketSelector.layerDefault(listen),
      Layer.succeed(Authenticator)({
        authenticate: ({ realm }) =>
          Effect.succeed({ _tag: "Granted", username: "alice", realm, authenticationInfo: "qop=\"auth\"" })
      })
    ])
  )
  const runtime = ManagedRuntime.make(layer)
  await runtime.runPromise(Relay)

  const open = (): Wire => {
    const wire = new Wire(taken)
    wire.receiver = byMessages
      ? new WebSocketConnection(wire, accept, { defer: (task) => void tasks.push(task) })
      : accept(wire)
    return wire
  }
  const encoded = (...parts: Parameters<typeof frame>): Buffer =>
    byMessages ? message(frame(...parts)) : frame(...parts)
  /** Ends a turn: output is written, and counts as taken by the operating system. */
  const turn = (): void => {
    for (const task of tasks.splice(0)) task()
    for (const written of taken.splice(0)) written()
    for (const task of tasks.splice(0)) task()
  }

  const owner = open()
  const peer = open()
  let session = ""
  owner.sees = (octets) => {
    session = /Use-Path: (\S+)/.exec(octets.toString("latin1"))?.[1] ?? session
  }
  const endpoint = "msrp://owner.invalid:2855/abc;tcp"
  owner.receiver.bytes(encoded("AUTH", "a2345678", ["To-Path: msrp://127.0.0.1:2855;tcp", `From-Path: ${endpoint}`]))
  turn()
  if (session === "") throw new Error("no session was granted")

  const body = Buffer.alloc(scenario.size, "The quick brown fox jumps over the lazy dog. ")
  const request = Buffer.concat(
    Array.from({ length: scenario.batch }, (_, i) =>
      encoded("SEND", `s${String(i).padStart(9, "0")}`, [
        `To-Path: ${session} ${endpoint}`,
        "From-Path: msrp://peer.invalid:2855/def;tcp",
        `Message-ID: 8a9f7e6d5c4b${String(i).padStart(4, "0")}`,
        `Byte-Range: 1-${scenario.size > 2048 ? "*" : scenario.size}/${scenario.size}`,
        ...scenario.failureReport ? [] : ["Failure-Report: no"],
        "Content-Type: text/plain"
      ], body))
  )

  const seen = Buffer.allocUnsafeSlow(4 * (request.length + 65_536) * scenario.turns)
  let length = 0
  owner.sees = (octets) => {
    length += octets.copy(seen, length)
  }
  /** The owner's responses to the SENDs that it has got, as one read for each turn in which it has got some. */
  const answers = (): { readonly count: number; readonly reads: ReadonlyArray<Buffer> } => {
    const frames: Array<Buffer> = []
    const text = seen.toString("latin1", 0, length)
    length = 0
    for (const [, id] of text.matchAll(/MSRP (\S+) SEND\r\n/g)) {
      frames.push(encoded("200 OK", id!, [`To-Path: ${session}`, `From-Path: ${endpoint}`]))
    }
    return { count: frames.length, reads: scenario.turns === 1 ? [Buffer.concat(frames)] : frames }
  }
  const deliver = (wire: Wire, octets: Buffer): void => {
    for (let at = 0; at < octets.length; at += READ) {
      wire.receiver.bytes(octets.subarray(at, at + READ))
      for (let turns = 0; turns === 0 || wire.paused; turns++) {
        if (turns === MAX_TURNS) throw new Error("the relay does not keep up")
        turn()
      }
    }
  }
  /** Returns the milliseconds that the relay takes for one round. More SENDs may be under way than the window of a receiver has room for. */
  const round = (): number => {
    const start = performance.now()
    for (let i = 0; i < scenario.turns; i++) deliver(peer, request)
    let millis = performance.now() - start
    for (let left = scenario.failureReport ? scenario.batch * scenario.turns : 0; left > 0;) {
      const { count, reads } = answers()
      if (count === 0) throw new Error(`${left} SENDs did not come through`)
      left -= count
      const again = performance.now()
      for (const read of reads) deliver(owner, read)
      millis += performance.now() - again
    }
    length = 0
    return millis
  }

  for (const until = performance.now() + WARM_UP; performance.now() < until;) round()
  // The shortest part counts, in which the machine did the least beside it. The processor times of the system are exact only to 4 ms.
  let best = Infinity
  for (const until = performance.now() + seconds * 1000; performance.now() < until;) {
    let millis = 0
    let sends = 0
    while (millis < STRETCH) {
      millis += round()
      sends += scenario.batch * scenario.turns
    }
    best = Math.min(best, 1000 * millis / sends)
  }
  await runtime.dispose()
  return best
}

const here = fileURLToPath(import.meta.url)

/** The option for the heap that `npm start` sets. */
const HEAP = "--max-semi-space-size=8"

interface Measured {
  readonly file: string
  readonly ws: boolean
}

const child = ({ file, ws }: Measured, name: string, seconds: number): number => {
  const args = [HEAP, file, "--measure", name, "--seconds", `${seconds}`, ...ws ? ["--ws"] : []]
  const { error, status, stderr, stdout } = spawnSync(process.execPath, args, { encoding: "utf8" })
  if (error !== undefined || status !== 0) throw new Error(`the run has failed: ${error?.message ?? stderr}`)
  // The log of the relay comes before it.
  return Number(stdout.trimEnd().split("\n").at(-1))
}

const median = (numbers: ReadonlyArray<number>): number => numbers.toSorted((a, b) => a - b)[numbers.length >> 1]!

const compare = (
  names: ReadonlyArray<string>,
  { against, runs, seconds, ws }: { against: string | undefined; runs: number; seconds: number; ws: boolean }
): void => {
  const wanted = scenarios.filter(({ name }) => names.length === 0 || names.includes(name))
  if (wanted.length === 0) throw new UsageError(`--only: one of ${scenarios.map(({ name }) => name).join(", ")}`)
  const others: ReadonlyArray<Measured> = against === undefined
    ? ws ? [{ file: here, ws: false }] : []
    : [{ file: resolve(against, "bench/core.ts"), ws }]
  const files: ReadonlyArray<Measured> = [{ file: here, ws }, ...others]
  const rows = wanted.map(({ name, what }) => {
    const times = files.map((): Array<number> => [])
    for (let i = 0; i < runs; i++) files.forEach((file, at) => times[at]!.push(child(file, name, seconds)))
    const [own, other] = times.map((some) => Math.min(...some))
    const row = { what, "best us": own!.toFixed(2), "median us": median(times[0]!).toFixed(2) }
    return [
      name,
      other === undefined ? row : { ...row, "other us": other.toFixed(2), ratio: (own! / other).toFixed(3) }
    ] as const
  })
  console.table(Object.fromEntries(rows))
}

await run(usage, {
  options: {
    runs: { type: "string", default: "6" },
    seconds: { type: "string", default: "1" },
    only: { type: "string", multiple: true, default: [] },
    against: { type: "string" },
    ws: { type: "boolean", default: false },
    /** The scenario that a child process measures. */
    measure: { type: "string" }
  }
}, async ({ values: { against, measure: name, only, runs, seconds, ws } }) => {
  const length = positive(seconds, "seconds")
  const measured = scenarios.find((scenario) => scenario.name === name)
  if (measured !== undefined) console.log(String(await measure(measured, length, ws)))
  else compare(only, { against, runs: whole(runs, "runs"), seconds: length, ws })
})
