/** A raw peer of the relay, which sends and sees octets. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Relay } from "../../src/Relay.ts"
import type { Connection, Receiver } from "../../src/Transport.ts"
import { Framer } from "./Framer.ts"
import { CRLF2, type Frame, nextId, readFrame, request, response, summary } from "./frames.ts"
import { until } from "./until.ts"

/** Octets of a body that a line of the log cannot have by chance. */
const TELLING = 12

/** What a peer knows of the relay that it is connected to. */
export interface Surroundings {
  readonly relay: Relay["Service"]
  /** The URI that AUTH addresses. */
  readonly uri: string
  /** What must not be in the log: bodies are added. */
  readonly secrets: Set<string>
}

/** One connection to the relay, seen from the other side. */
export class Peer implements Receiver {
  connection!: Connection
  readonly world: Surroundings
  /** Whether the connection has closed. */
  isClosed = false
  /** Frames that came and were not taken. */
  readonly frames: Array<Frame> = []
  /** Octets that came in. */
  length = 0
  /** Called for every frame instead of keeping it. */
  onFrame: ((frame: Frame) => void) | undefined
  readonly #framer = new Framer()
  #buffer = Buffer.alloc(4096)
  #from = 0
  #to = 0
  #searched = 0

  constructor(world: Surroundings) {
    this.world = world
  }

  readonly accept = (connection: Connection): this => {
    this.connection = connection
    return this
  }

  readonly bytes = (chunk: Buffer): void => {
    this.length += chunk.length
    if (this.#to + chunk.length > this.#buffer.length) {
      const bigger = Buffer.alloc(Math.max(2 * this.#buffer.length, this.#to - this.#from + chunk.length))
      this.#buffer.copy(bigger, 0, this.#from, this.#to)
      this.#buffer = bigger
      this.#to -= this.#from
      this.#searched -= this.#from
      this.#from = 0
      if (this.#to + chunk.length > this.#buffer.length) {
        this.#buffer = Buffer.concat([bigger, Buffer.alloc(chunk.length)])
      }
    }
    this.#to += chunk.copy(this.#buffer, this.#to)
    while (this.#cut());
  }

  #cut(): boolean {
    const buffer = this.#buffer.subarray(0, this.#to)
    const line = buffer.indexOf("\r\n", this.#from)
    if (line === -1) return false
    const id = buffer.toString("latin1", this.#from, line).split(" ")[1]!
    const mark = `\r\n-------${id}`
    let at = Math.max(line, this.#searched)
    while ((at = buffer.indexOf(mark, at)) !== -1) {
      const flag = at + mark.length
      if (flag + 3 > buffer.length) break
      if ("$+#".includes(String.fromCharCode(buffer[flag]!)) && buffer[flag + 1] === 13 && buffer[flag + 2] === 10) {
        const frame = readFrame(Buffer.from(buffer.subarray(this.#from, flag + 3)), id)
        this.#from = this.#searched = flag + 3
        if (frame.body !== undefined && frame.body.length >= TELLING) {
          this.world.secrets.add(frame.body.toString("latin1", 0, 100))
        }
        if (this.onFrame === undefined) this.frames.push(frame)
        else this.onFrame(frame)
        return true
      }
      at++
    }
    this.#searched = Math.max(line, buffer.length - mark.length - 3)
    return false
  }

  readonly closed = (): void => {
    this.isClosed = true
  }

  /** What has come of a frame that is not complete. */
  get partial(): Buffer {
    return this.#buffer.subarray(this.#from, this.#to)
  }

  /** Octets of body that have come of it. */
  get partialBody(): number {
    const blank = this.partial.indexOf(CRLF2)
    return blank === -1 ? 0 : this.partial.length - blank - 4
  }

  get partialId(): string {
    return this.partial.toString("latin1", 0, 64).split(" ")[1]!
  }

  write(...octets: ReadonlyArray<string | Buffer>): void {
    const { connection } = this
    for (const one of octets) {
      const bytes = typeof one === "string" ? Buffer.from(one, "latin1") : one
      connection.write(bytes, () => {}, connection.messages === undefined ? undefined : this.#framer.ends(bytes))
    }
  }

  /** The next frame. */
  get next(): Effect.Effect<Frame> {
    return Effect.andThen(
      until(
        () => this.frames.length > 0 || this.isClosed,
        "a frame",
        () => this.partial.toString("latin1").slice(0, 500)
      ),
      Effect.sync(() => {
        assert.isNotEmpty(this.frames, "the connection was closed instead of a frame")
        return this.frames.shift()!
      })
    )
  }

  take(count: number): Effect.Effect<Array<Frame>> {
    return Effect.replicateEffect(this.next, count)
  }

  /** The relay has closed the connection, and sent nothing (more) before. */
  get ends(): Effect.Effect<void> {
    return Effect.andThen(
      until(() => this.isClosed, "the end of the connection"),
      Effect.sync(() => assert.deepStrictEqual(this.frames.map(summary), []))
    )
  }

  /** Nothing has come, and nothing comes from what was sent on this connection: the relay has seen it all. */
  get quiet(): Effect.Effect<void> {
    return Effect.suspend(() => {
      const id = nextId()
      this.write(request("PING", { id, to: this.world.uri, from: "msrp://quiet.invalid:9/q;tcp" }))
      return Effect.map(
        this.next,
        (frame) =>
          assert.strictEqual(`${frame.id} ${frame.status}`, `${id} 481`, frame.octets.toString("latin1").slice(0, 600))
      )
    })
  }

  /** Answers a SEND, or with the whole path any other request. */
  answer(frame: Frame, status = "200 OK", path: "hop" | "whole" = "hop", ...more: Array<string>): void {
    const to = path === "hop" ? frame.from.split(" ")[0]! : frame.from
    this.write(response(to, frame.to.split(" ")[0]!, frame.id, status, ...more))
  }

  get close(): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.connection.destroy()
      return until(() => this.isClosed, "own close")
    })
  }
}

/** All frames that come in, each SEND answered. */
export const collect = (peer: Peer): ReadonlyArray<Frame> => {
  const frames: Array<Frame> = []
  peer.onFrame = (frame) => {
    frames.push(frame)
    if (frame.method === "SEND") peer.answer(frame)
  }
  return frames
}
