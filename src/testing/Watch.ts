/** What a contract sees of the connections of a transport: their calls, octets and closures, and the rules that these break. */
import { type Accept, type Connection, type Receiver, wrapConnection } from "../Transport.ts"

/**
 * The rules that were broken in a test. They are recorded, because a transport catches what is thrown in its callbacks, and only
 * closes the connection.
 */
export class Watch {
  readonly faults = new Set<string>()
  #call: string | undefined

  /** A call of the contract, which no callback may run inside of. */
  call<A>(name: string, run: () => A): A {
    const outer = this.#call
    this.#call = name
    try {
      return run()
    } catch (error) {
      this.faults.add(`${name} throws`)
      throw error
    } finally {
      this.#call = outer
    }
  }

  /** A callback of the transport. */
  callback(name: string): void {
    if (this.#call !== undefined) this.faults.add(`${name} is called inside of ${this.#call}`)
  }
}

/** Records the octets and closures of a connection. */
export class RecordingReceiver implements Receiver {
  /** The connection as the transport gave it, and as its calls are watched. */
  given: Connection | undefined
  connection!: Connection
  closures = 0
  length = 0
  onBytes: () => void = () => {}
  readonly #watch: Watch
  readonly #chunks: Array<Buffer> = []
  #paused = false
  #destroyed = false

  constructor(watch: Watch) {
    this.#watch = watch
  }

  get octets(): Buffer {
    return Buffer.concat(this.#chunks)
  }

  readonly accept: Accept = (connection) => {
    this.given = connection
    this.connection = this.#watched(connection)
    return this
  }

  bytes(chunk: Buffer): void {
    const { faults } = this.#watch
    this.#watch.callback("bytes")
    if (!Buffer.isBuffer(chunk)) faults.add("bytes is not called with a Buffer")
    if (this.#paused) faults.add("bytes is called while the connection is paused")
    if (this.#destroyed) faults.add("bytes is called after destroy")
    if (this.closures > 0) faults.add("bytes is called after closed")
    this.#chunks.push(Buffer.from(chunk))
    this.length += chunk.length
    this.onBytes()
  }

  closed(): void {
    this.#watch.callback("closed")
    if (++this.closures > 1) this.#watch.faults.add("closed is called more than once")
  }

  #watched(connection: Connection): Connection {
    const watch = this.#watch
    let next = 0
    let done = 0
    return wrapConnection(connection, {
      write: (octets, written, ends) => {
        const number = octets.length > 0 ? next++ : 0
        const open = this.closures === 0
        let calls = 0
        const told = (): void => {
          watch.callback("written")
          if (++calls > 1) watch.faults.add("written is called more than once for a write")
          else if (octets.length > 0 && number !== done++) {
            watch.faults.add("written is not called in the order of the writes")
          }
          if (open && this.closures > 0) watch.faults.add("written is called after closed")
          written()
        }
        watch.call("write", () => connection.write(octets, told, ends))
      },
      pause: () => {
        this.#paused = true
        watch.call("pause", () => connection.pause())
      },
      resume: () => {
        this.#paused = false
        watch.call("resume", () => connection.resume())
      },
      end: (why) => watch.call("end", () => connection.end(why)),
      destroy: (why) => {
        this.#destroyed = true
        watch.call("destroy", () => connection.destroy(why))
      }
    })
  }
}
