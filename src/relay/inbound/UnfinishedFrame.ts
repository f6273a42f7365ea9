/**
 * What is kept of a frame that has begun to come in on one connection. A peer may take any time for the rest, so this counts for its
 * user, who may have thousands of connections.
 */
import type { FrameDecoder } from "../../protocol/Decoder.ts"
import type { Closing } from "../Closing.ts"
import type { ConnectionLoad } from "../outbound/ConnectionLoad.ts"

/** The hop whose connection it is. */
interface UnfinishedFrameOwner {
  readonly outbound: { readonly load: Pick<ConnectionLoad, "keeps"> }
  readonly probation: { keeps(octets: number): void }
  readonly reading: { readonly mayGoOn: boolean; onGo: () => void }
  /** Closes the connection after what has been written. */
  finish(reason: Closing): void
}

export class UnfinishedFrame {
  readonly #hop: UnfinishedFrameOwner
  readonly #decoder: Pick<FrameDecoder, "held" | "resume">
  /** Octets of the header section of the long chunk that is coming in, which is needed until its end; 0: there is none. */
  headOctets = 0
  #isOver = false

  constructor(hop: UnfinishedFrameOwner, decoder: Pick<FrameDecoder, "held" | "resume">) {
    this.#hop = hop
    this.#decoder = decoder
    hop.reading.onGo = () => {
      decoder.resume()
      this.#count()
    }
  }

  /** A read has been processed. `waits`: the rest of it waits for its turn, which is at most one read, and not caused by the sender. */
  read(waits: boolean): void {
    if (!waits) this.#hop.probation.keeps(this.#decoder.held)
    this.#count()
  }

  /** Nothing more is received. The decoder drops what it holds. */
  stop(): void {
    this.#isOver = true
    this.#hop.outbound.load.keeps(this.headOctets)
  }

  /** Does not count whole frames that wait because the relay itself does not go on. */
  #count(): void {
    if (this.#isOver) return
    const { outbound: { load }, reading } = this.#hop
    const held = reading.mayGoOn ? this.#decoder.held : 0
    if (!load.keeps(this.headOctets + held)) this.#hop.finish("too many unfinished frames")
  }
}
