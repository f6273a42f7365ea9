/** Other ends for a client under test: one that follows a script, and one that joins two clients octet for octet. */
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import { Frame } from "../../src/client/Frame.ts"
import { pathUris } from "../../src/client/Path.ts"
import { Codec } from "../../src/Codec.ts"
import type { HeaderLines } from "../../src/protocol/Encoder.ts"
import type { Flag, Head } from "../../src/protocol/Head.ts"
import { type Connection, type LocalSocket, type Receiver, Transport } from "../../src/Transport.ts"

/** The accepted end of a connection, which does nothing by itself. */
export class Scripted {
  readonly connection: Connection
  readonly #frames: Queue.Queue<Frame>
  readonly #codec: Codec["Service"]

  constructor(connection: Connection, codec: Codec["Service"], frames: Queue.Queue<Frame>) {
    this.connection = connection
    this.#codec = codec
    this.#frames = frames
  }

  get receiver(): Receiver {
    let open: { readonly frame: Frame; readonly body: Array<Buffer> } | undefined
    const put = (frame: Frame, body: Buffer, flag: Flag): void => {
      if (frame.hasBody) frame.body = body
      frame.flag = flag
      Queue.offerUnsafe(this.#frames, frame)
    }
    const decoder = this.#codec.decoder({
      frame: (head: Head, start, end, flag) => {
        put(new Frame(head), Buffer.from(head.buf.subarray(start, end)), flag)
        return true
      },
      chunkStart: (head) => {
        open = { frame: new Frame(head), body: [] }
      },
      chunkBody: (buf, start, end) => void open!.body.push(Buffer.from(buf.subarray(start, end))),
      chunkEnd: (flag) => put(open!.frame, Buffer.concat(open!.body), flag),
      broken: (reason) => {
        throw new Error(reason)
      }
    })
    return { bytes: (chunk) => decoder.push(chunk), closed: () => {} }
  }

  /** The next frame that the client sent. */
  get frame(): Effect.Effect<Frame> {
    return Queue.take(this.#frames)
  }

  frames(count: number): Effect.Effect<Array<Frame>> {
    return Effect.replicateEffect(this.frame, count)
  }

  /** Frames that have come and were not taken. */
  get waiting(): number {
    return Queue.sizeUnsafe(this.#frames)
  }

  write(octets: string | Buffer): void {
    this.connection.write(typeof octets === "string" ? Buffer.from(octets, "latin1") : octets, () => {})
  }

  answer(request: Frame, status: number, headers: HeaderLines = []): void {
    this.write(this.#codec.response({
      transactionId: request.transactionId,
      status,
      toPath: pathUris(request.fromPath)[0]!,
      fromPath: pathUris(request.toPath)[0]!,
      headers
    }))
  }
}

/** Listens; gives the accepted ends in the order in which they came. */
export const scripted = Effect.fnUntraced(function*(socket: LocalSocket) {
  const transport = yield* Transport
  const codec = yield* Codec
  const frames = yield* Queue.unbounded<Frame>()
  const ends = yield* Queue.unbounded<Scripted>()
  const bound = yield* transport.listen(socket, (connection) => {
    const end = new Scripted(connection, codec, frames)
    Queue.offerUnsafe(ends, end)
    return end.receiver
  })
  return { bound, end: Queue.take(ends), frame: Queue.take(frames) }
})

/** Listens, and joins the first connection with the second one. What comes early waits. */
export const joined = Effect.fnUntraced(function*(socket: LocalSocket) {
  const transport = yield* Transport
  const ends: Array<Connection> = []
  return yield* transport.listen(socket, (connection) => {
    const index = ends.push(connection) - 1
    if (index === 0) connection.pause()
    else ends[0]!.resume()
    return {
      bytes: (chunk) => {
        const other = ends[1 - index]!
        connection.pause()
        other.write(Buffer.from(chunk), () => connection.resume())
      },
      closed: () => ends[1 - index]?.end()
    }
  })
})
