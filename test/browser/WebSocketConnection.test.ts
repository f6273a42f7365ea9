/** A connection on a WebSocket of the platform: what it holds while nobody reads, and when it gives up. */
import { assert, describe, it } from "vitest"
import { WebSocketConnection } from "../../src/browser/WebSocketConnection.ts"
import type { Receiver } from "../../src/transport/Connection.ts"
import { facts } from "../transport/plain.ts"

class FakeSocket extends EventTarget {
  binaryType = ""
  bufferedAmount = 0
  readonly sent: Array<Uint8Array> = []
  readonly codes: Array<number | undefined> = []

  send(octets: Uint8Array): void {
    this.sent.push(octets)
  }

  close(code?: number): void {
    this.codes.push(code)
  }

  comes(octets: number): void {
    this.dispatchEvent(new MessageEvent("message", { data: new ArrayBuffer(octets) }))
  }
}

const MIB = 1_048_576

const opened = () => {
  const socket = new FakeSocket()
  const got: Array<number> = []
  const ended: Array<string | undefined> = []
  const receiver: Receiver = {
    bytes: (octets) => void got.push(octets.length),
    closed: (why) => void ended.push(why)
  }
  const connection = new WebSocketConnection(socket as unknown as WebSocket, facts, () => receiver)
  return { connection, ended, got, socket }
}

const microtasks = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe("WebSocketConnection", () => {
  it("takes a message of 8 MiB, and is closed by a longer one", async () => {
    const { ended, got, socket } = opened()
    socket.comes(8 * MIB)
    assert.deepStrictEqual([got, socket.codes], [[8 * MIB], []])
    socket.comes(8 * MIB + 1)
    await microtasks()
    assert.deepStrictEqual([got.length, socket.codes, ended], [1, [4008], ["a message is too long"]])
  })

  it("holds 64 MiB while nobody reads, and is closed by more", async () => {
    const { connection, ended, got, socket } = opened()
    connection.pause()
    for (let i = 0; i < 64; i++) socket.comes(MIB)
    assert.deepStrictEqual([got, socket.codes], [[], []])
    socket.comes(1)
    await microtasks()
    assert.deepStrictEqual([got, socket.codes, ended], [[], [4008], ["nobody takes what comes in"]])
  })

  it("hands over in order what it held, and has room again", async () => {
    const { connection, got, socket } = opened()
    connection.pause()
    for (let i = 1; i <= 8; i++) socket.comes(8 * MIB - i)
    connection.resume()
    await microtasks()
    assert.deepStrictEqual(got, [1, 2, 3, 4, 5, 6, 7, 8].map((i) => 8 * MIB - i))
    connection.pause()
    for (let i = 0; i < 8; i++) socket.comes(8 * MIB)
    assert.deepStrictEqual(socket.codes, [])
  })

  it("has chunks of 64 KiB towards the relay", () => {
    assert.strictEqual(opened().connection.messages.piece, 65_536)
  })
})
