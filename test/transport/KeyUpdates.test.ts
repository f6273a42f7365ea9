/** KeyUpdates of TLS 1.3: Node cannot send them, so they are encrypted here. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { createCipheriv, createHmac } from "node:crypto"
import { once } from "node:events"
import type * as Net from "node:net"
import * as Tls from "node:tls"
import { type NodeOptions, Transport } from "../../src/Transport.ts"
import type { Defer } from "../../src/transport/Defer.ts"
import { KeyUpdates, MAX_NEW_KEYS } from "../../src/transport/KeyUpdates.ts"
import { ca, localhost } from "../support/pki.ts"
import { poll, Recorder } from "../support/Recorder.ts"
import { plainClient, plainServer } from "./plain.ts"

const CIPHER = "TLS_AES_128_GCM_SHA256"

/** HKDF-Expand-Label (RFC 8446 §7.1) of at most 32 octets. */
const expand = (secret: Buffer, label: string, length: number): Buffer => {
  const name = Buffer.from(`tls13 ${label}`)
  const info = Buffer.concat([Buffer.from([0, length, name.length]), name, Buffer.from([0, 1])])
  return createHmac("sha256", secret).update(info).digest().subarray(0, length)
}

const DATA = 23
const HANDSHAKE = 22

/** A writer of records with the secret of one side, none of which was sent before. */
const records = (first: Buffer) => {
  let secret = first
  let sent = 0
  const record = (type: number, octets: Buffer): Buffer => {
    const nonce = expand(secret, "iv", 12)
    nonce.writeInt32BE(nonce.readInt32BE(8) ^ sent++, 8)
    const head = Buffer.from([DATA, 3, 3, 0, octets.length + 17])
    const cipher = createCipheriv("aes-128-gcm", expand(secret, "key", 16), nonce).setAAD(head)
    return Buffer.concat([
      head,
      cipher.update(octets),
      cipher.update(Buffer.from([type])),
      cipher.final(),
      cipher.getAuthTag()
    ])
  }
  /** KeyUpdates that ask for no answer. */
  const updates = (count: number): Buffer =>
    Buffer.concat(Array.from({ length: count }, () => {
      const update = record(HANDSHAKE, Buffer.from([24, 0, 0, 1, 0]))
      secret = expand(secret, "traffic upd", 32)
      sent = 0
      return update
    }))
  /** Session tickets (RFC 8446 §4.6.1), of one octet each. */
  const tickets = (count: number): Buffer =>
    Buffer.concat(Array.from({ length: count }, (_, i) =>
      record(
        HANDSHAKE,
        Buffer.from([4, 0, 0, 16, 0, 0, 14, 16, 0, 0, 0, 0, 2, i >> 8, i & 0xFF, 0, 1, 1, 0, 0])
      )))
  return { data: (text: string): Buffer => record(DATA, Buffer.from(text)), tickets, updates }
}

const secretIn = (line: Buffer): Buffer => Buffer.from(line.toString().trim().split(" ")[2]!, "hex")

/** Connects, and gives what leads there when the handshake is done, with a writer of records. */
const connected = Effect.fnUntraced(function*(port: number) {
  const { events, socket: raw } = yield* plainClient(port)
  const by = yield* plainServer((socket) => {
    socket.on("error", () => {}).pipe(raw)
    raw.pipe(socket)
  })
  const stream = Tls.connect({ port: by, host: "127.0.0.1", rejectUnauthorized: false, ciphers: CIPHER })
  stream.on("error", () => {})
  let secret: Buffer | undefined
  stream.on("keylog", (line: Buffer) => {
    if (line.toString().startsWith("CLIENT_TRAFFIC_SECRET_0")) secret = secretIn(line)
  })
  // The server sends it when it has all of the handshake.
  yield* Effect.promise(() => once(stream, "session"))
  return { events, raw, ...records(secret!) }
})

const run = <A, E>(effect: Effect.Effect<A, E, Transport | Scope.Scope>, options: NodeOptions = {}) =>
  Effect.scoped(Effect.provide(effect, Transport.layerNode({ tls: { ...localhost, ca }, ...options })))

describe("KeyUpdates of a connection", () => {
  it.live("R4976-9.3-06: close it if there are too many without data between them", () =>
    run(Effect.gen(function*() {
      const { listen } = yield* Transport
      const recorder = new Recorder()
      const { port } = yield* listen({ scheme: "msrps", host: "127.0.0.1", port: 0 }, recorder.accept)
      const { data, raw, updates } = yield* connected(port)
      for (const text of ["a", "b"]) raw.write(Buffer.concat([updates(MAX_NEW_KEYS), data(text)]))
      yield* recorder.untilLength(2)
      assert.strictEqual(recorder.received.toString(), "ab")
      raw.write(updates(MAX_NEW_KEYS + 1))
      yield* recorder.untilClosed
    })))

  it.effect("R4976-9.3-06: close it also before a WebSocket is open", () =>
    run(Effect.gen(function*() {
      const { listen } = yield* Transport
      const { port } = yield* listen(
        { scheme: "msrps", transport: "ws", host: "127.0.0.1", port: 0 },
        new Recorder().accept
      )
      const { events, raw, updates } = yield* connected(port)
      raw.write(updates(MAX_NEW_KEYS + 1))
      yield* poll(() => events.includes("close"))
    })))

  it.effect.each(["updates", "tickets"] as const)(
    "R4976-9.3-06: close one that was dialled, as %s do",
    (what) =>
      run(Effect.gen(function*() {
        const { connect } = yield* Transport
        const server = Tls.createServer({ cert: localhost.cert, key: Redacted.value(localhost.key), ciphers: CIPHER })
        let secret: Buffer | undefined
        server.on("keylog", (line: Buffer) => {
          if (line.toString().startsWith("SERVER_TRAFFIC_SECRET_0")) secret = secretIn(line)
        })
        server.on("tlsClientError", () => {})
        const raws: Array<Net.Socket> = []
        const port = yield* plainServer((raw) => {
          raws.push(raw.on("error", () => {}))
          server.emit("connection", raw)
        })
        const ends: Array<string | undefined> = []
        const accept = () => ({ bytes: () => {}, closed: (failure?: string) => void ends.push(failure) })
        yield* connect({ scheme: "msrps", host: "127.0.0.1", port, serverName: "localhost" }, accept)
        // Before the tickets, so these are the first records.
        raws[0]!.write(records(secret!)[what](MAX_NEW_KEYS + 1))
        yield* poll(() => ends.length > 0)
        assert.deepStrictEqual(ends, ["ERR_TLS_KEY_UPDATES"])
      }))
  )

  it.effect("R4976-9.3-06: count as handshakes of its address", () =>
    run(
      Effect.gen(function*() {
        const { listen } = yield* Transport
        const recorder = new Recorder()
        const { port } = yield* listen({ scheme: "msrps", host: "127.0.0.1", port: 0 }, recorder.accept)
        const { raw, updates } = yield* connected(port)
        raw.write(updates(MAX_NEW_KEYS + 1))
        yield* recorder.untilClosed
        const next = yield* plainClient(port)
        Tls.connect({ socket: next.socket, rejectUnauthorized: false }).on("error", () => {})
        yield* poll(() => next.events.includes("close"))
      }),
      { handshakeRate: 1 }
    ))
})

/** A stream, and what was asked of the socket below it. */
const fake = () => {
  const asked: Array<string> = []
  const handle = {
    reading: true,
    _parent: { readStart: () => asked.push("start"), readStop: () => asked.push("stop") }
  }
  let closed = (): void => {}
  const stream = {
    bytesRead: 0,
    destroyed: false,
    _handle: handle,
    on: (_: string, listener: () => void) => void (closed = listener),
    destroy: () => void (stream.destroyed = true)
  }
  return { asked, handle, stream: stream as unknown as Tls.TLSSocket, close: () => closed() }
}

/** Counts in turns that have had enough, or not. */
const counting = (turn: { enough: boolean }) => {
  const next: Array<() => void> = []
  const defer = Object.assign((): void => {}, {
    read: (): boolean => turn.enough,
    nextTurn: (task: () => void): void => void next.push(task),
    nextTick: (task: () => void): void => process.nextTick(task)
  }) satisfies Defer
  return { next, updates: new KeyUpdates(defer) }
}

it("stop all streams of their address for the rest of a turn that has had enough, and no others", () => {
  const turn = { enough: false }
  const { next, updates } = counting(turn)
  const [one, same, paused, gone, other] = [fake(), fake(), fake(), fake(), fake()]
  for (const { stream } of [one, same, paused, gone]) updates.watch(stream, "192.0.2.1")
  updates.watch(other.stream, "192.0.2.2")
  gone.close()
  updates.count(one.stream)
  assert.isEmpty(next)
  turn.enough = true
  paused.handle.reading = false
  for (const { stream } of [one, one, same]) updates.count(stream)
  next.splice(0).forEach((task) => task())
  assert.deepStrictEqual([one, same, paused, gone, other].map(({ asked }) => asked.join()), [
    "stop,start",
    "stop,start",
    "stop",
    "",
    ""
  ])
  updates.count(one.stream)
  assert.lengthOf(next, 1)
})

it("say once that a stream has had too many, and nothing of one that has closed", () => {
  const { updates } = counting({ enough: false })
  const [open, gone] = [fake(), fake()]
  const ended: Array<string> = []
  updates.watch(open.stream, "192.0.2.1", () => ended.push("open"))
  updates.watch(gone.stream, "192.0.2.1", () => ended.push("gone"))
  gone.close()
  for (const { stream } of [open, gone]) for (let i = 0; i < MAX_NEW_KEYS + 3; i++) updates.count(stream)
  assert.deepStrictEqual([ended, open.stream.destroyed, gone.stream.destroyed], [["open"], true, false])
})

it("forget a network when its last stream has closed", () => {
  const { next, updates } = counting({ enough: true })
  for (let i = 1; i <= 2; i++) {
    const { close, stream } = fake()
    updates.watch(stream, "192.0.2.1")
    updates.count(stream)
    assert.lengthOf(next, i)
    close()
  }
})
