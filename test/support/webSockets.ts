/**
 * The other side of WebSockets, none of it written for the relay: octets by hand, the `ws` package, and the `WebSocket` that
 * Node and browsers have.
 */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { once } from "node:events"
import * as Net from "node:net"
import * as Tls from "node:tls"
import WsPackage from "ws"
import type { Connection } from "../../src/Transport.ts"
import { Peer, until, type World } from "./harness.ts"
import { ca } from "./pki.ts"

/** A frame as it came. */
export interface WsFrame {
  readonly fin: boolean
  readonly rsv: number
  readonly opcode: number
  readonly masked: boolean
  readonly payload: Buffer
}

export interface FrameOptions {
  readonly fin?: boolean
  /** 1, 2 and 4 are RSV3, RSV2 and RSV1. */
  readonly rsv?: number
  readonly masked?: boolean
  /** Octets of the extended length; as few as can be when absent. */
  readonly extended?: 0 | 2 | 8
}

export const [CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG] = [0, 1, 2, 8, 9, 10]

/** A frame of a client (RFC 6455 §5.2), octet by octet. */
export const wsFrame = (opcode: number, payload: Uint8Array | string, options: FrameOptions = {}): Buffer => {
  const { fin = true, masked = true, rsv = 0 } = options
  const octets = Buffer.from(payload as string)
  const extended = options.extended ?? (octets.length < 126 ? 0 : octets.length < 65_536 ? 2 : 8)
  const length = Buffer.alloc(1 + extended)
  length[0] = (masked ? 0x80 : 0) | (extended === 0 ? octets.length : extended === 2 ? 126 : 127)
  if (extended === 2) length.writeUInt16BE(octets.length, 1)
  if (extended === 8) length.writeBigUInt64BE(BigInt(octets.length), 1)
  const key = Buffer.from([0x37, 0xfa, 0x21, 0x3d])
  if (masked) { for (let i = 0; i < octets.length; i++) octets[i]! ^= key[i & 3]! }
  return Buffer.concat([
    Buffer.from([(fin ? 0x80 : 0) | (rsv << 4) | opcode]),
    length,
    masked ? key : Buffer.alloc(0),
    octets
  ])
}

export const KEY = "dGhlIHNhbXBsZSBub25jZQ=="

/** The lines of a request that is granted, `Host` apart. */
export const LINES = [
  "Upgrade: websocket",
  "Connection: Upgrade",
  "Sec-WebSocket-Version: 13",
  `Sec-WebSocket-Key: ${KEY}`,
  "Sec-WebSocket-Protocol: msrp"
]

export const without = (name: string): ReadonlyArray<string> => LINES.filter((line) => !line.startsWith(`${name}:`))

export const headOf = (
  lines: ReadonlyArray<string> = LINES,
  { host = "localhost", line = "GET / HTTP/1.1" }: { readonly host?: string | undefined; readonly line?: string } = {}
): string => [line, `Host: ${host}`, ...lines, "", ""].join("\r\n")

/** A socket that speaks for itself. */
export class RawSocket {
  readonly socket: Net.Socket
  /** The head of the answer to the request. */
  head = ""
  readonly frames: Array<WsFrame> = []
  /** The other side has ended; the connection is gone. */
  ended = false
  closed = false
  /** Called for every frame instead of keeping it. */
  onFrame: ((frame: WsFrame) => void) | undefined
  onClosed: () => void = () => {}
  #octets = Buffer.alloc(0)

  constructor(world: World, socket = world.socket) {
    const to = { host: "127.0.0.1", port: socket.port }
    this.socket = socket.scheme === "msrps" ? Tls.connect({ ...to, ca, servername: "localhost" }) : Net.connect(to)
    this.socket.on("error", () => {})
    this.socket.on("end", () => this.ended = true)
    this.socket.on("close", () => {
      this.closed = true
      this.onClosed()
    })
    this.socket.on("data", (octets: Buffer) => this.#read(octets))
  }

  #read(octets: Buffer): void {
    this.#octets = Buffer.concat([this.#octets, octets])
    if (this.head === "") {
      const end = this.#octets.indexOf("\r\n\r\n")
      if (end === -1) return
      this.head = this.#octets.toString("latin1", 0, end + 4)
      this.#octets = this.#octets.subarray(end + 4)
    }
    if (this.head.startsWith("HTTP/1.1 101 ")) { while (this.#frame()); }
  }

  #frame(): boolean {
    const octets = this.#octets
    if (octets.length < 2) return false
    const [first, second] = [octets[0]!, octets[1]!]
    const short = second & 0x7F
    const start = 2 + (short === 126 ? 2 : short === 127 ? 8 : 0)
    if (octets.length < start) return false
    const length = short === 126 ? octets.readUInt16BE(2) : short === 127 ? Number(octets.readBigUInt64BE(2)) : short
    if (octets.length < start + length) return false
    const payload = octets.subarray(start, start + length)
    const frame = { fin: first >= 0x80, rsv: (first >> 4) & 7, opcode: first & 15, masked: second >= 0x80, payload }
    this.#octets = octets.subarray(start + length)
    if (this.onFrame === undefined) this.frames.push(frame)
    else this.onFrame(frame)
    return true
  }

  /** What came that is no whole frame, or no head. */
  get rest(): Buffer {
    return this.#octets
  }

  write(...octets: ReadonlyArray<Uint8Array | string>): void {
    this.socket.write(Buffer.concat(octets.map((one) => Buffer.from(one as string))))
  }

  get next(): Effect.Effect<WsFrame> {
    return Effect.andThen(
      until(() => this.frames.length > 0 || this.ended || this.closed, "a frame of WebSocket"),
      Effect.sync(() => {
        assert.isNotEmpty(this.frames, "the end instead of a frame of WebSocket")
        return this.frames.shift()!
      })
    )
  }

  /** The code of the Close that comes next, behind which the other side ends. */
  get closes(): Effect.Effect<number> {
    return Effect.gen({ self: this }, function*() {
      const { masked, opcode, payload } = yield* this.next
      assert.deepStrictEqual([opcode, masked], [CLOSE, false])
      yield* until(() => this.ended || this.closed, "the end behind the Close")
      assert.lengthOf(this.frames, 0)
      return payload.length === 0 ? 1005 : payload.readUInt16BE(0)
    })
  }
}

/** A socket; it ends with the scope. */
export const rawSocket = (world: World, socket = world.socket): Effect.Effect<RawSocket, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => new RawSocket(world, socket)),
    (raw) => Effect.sync(() => raw.socket.destroy())
  )

/** A WebSocket on a socket. */
export const rawWebSocket = Effect.fnUntraced(function*(world: World, head = headOf()) {
  const raw = yield* rawSocket(world)
  raw.write(head)
  yield* until(() => raw.head !== "" || raw.closed, "an answer")
  assert.match(raw.head, /^HTTP\/1\.1 101 /)
  return raw
})

/** How a message comes to the relay, and what comes from there. */
interface Ways {
  readonly send: (message: Buffer) => void
  readonly destroy: () => void
}

/** A peer of the relay whose messages go by somebody else's WebSocket; each frame of MSRP is one. */
const peerOn = (world: World, { destroy, send }: Ways): Peer => {
  const peer = new Peer(world)
  world.peers.push(peer)
  const connection = {
    transport: "ws",
    messages: { piece: 65_536 },
    write: (octets: Buffer, _: () => void, ends: ReadonlyArray<number> = []) => {
      let from = 0
      for (const end of ends) {
        send(Buffer.from(octets.subarray(from, end)))
        from = end
      }
    },
    destroy
  }
  return peer.accept(connection as unknown as Connection)
}

/** One that sends each message as frames made of it by `cut`. */
export const peerByHand = Effect.fnUntraced(function*(
  world: World,
  cut: (message: Buffer) => ReadonlyArray<Buffer> = (message) => [wsFrame(BINARY, message)],
  known?: RawSocket
) {
  const raw = known ?? (yield* rawWebSocket(world))
  const peer = peerOn(world, { send: (message) => raw.write(...cut(message)), destroy: () => raw.socket.destroy() })
  for (const { opcode, payload } of raw.frames.splice(0)) if (opcode < CLOSE) peer.bytes(payload)
  raw.onFrame = (frame) => {
    if (frame.opcode < CLOSE) peer.bytes(frame.payload)
    else raw.frames.push(frame)
  }
  raw.onClosed = peer.closed
  return { peer, raw }
})

const urlOf = ({ socket: { port, scheme } }: World): string =>
  `${scheme === "msrps" ? "wss" : "ws"}://localhost:${port}/`

/** By the `ws` package. */
export const peerByPackage = Effect.fnUntraced(function*(world: World) {
  const socket = new WsPackage(urlOf(world), "msrp", { ca })
  yield* Effect.promise(() => once(socket, "open"))
  assert.strictEqual(socket.protocol, "msrp")
  const peer = peerOn(world, { send: (message) => socket.send(message), destroy: () => socket.terminate() })
  socket.on("message", (message: Buffer) => peer.bytes(message))
  socket.on("close", peer.closed)
  return { peer, socket }
})

/** By the `WebSocket` that Node has, as browsers do. It trusts whom Node trusts, so only without TLS. */
export const peerByBrowser = Effect.fnUntraced(function*(world: World, kind: "text" | "binary" = "binary") {
  const socket = new WebSocket(urlOf(world), ["msrp"])
  socket.binaryType = "arraybuffer"
  yield* Effect.promise(() => once(socket, "open"))
  assert.strictEqual(socket.protocol, "msrp")
  const peer = peerOn(world, {
    send: (message) => socket.send(kind === "text" ? message.toString("utf8") : new Uint8Array(message)),
    destroy: () => socket.close()
  })
  socket.addEventListener("message", ({ data }) => peer.bytes(Buffer.from(data as ArrayBuffer)))
  socket.addEventListener("close", peer.closed)
  return { peer, socket }
})
