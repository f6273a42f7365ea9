/**
 * Bounds what KeyUpdates of TLS 1.3 cost (RFC 8446 §4.6.3). OpenSSL makes new keys for each, which takes as long as a read, and Node
 * tells nobody: it would read half a megabyte of them in a turn of the event loop, which takes half a second for each connection. Its
 * only event that shows them is "keylog"; the keys are ignored. Session tickets, which a server may send at any time, count likewise.
 */
import type * as Tls from "node:tls"
import { networkOf } from "../net/Network.ts"
import type { Defer } from "./Defer.ts"
import { handleOf } from "./SocketHandle.ts"

/** The most new keys in a row without data. Each KeyUpdate takes one, and one more if it asks for an answer. */
export const MAX_NEW_KEYS = 256

/** The streams of one network. */
interface Group {
  readonly streams: Set<Tls.TLSSocket>
  /** Whether they are not read for the rest of this turn. */
  stopped: boolean
}

interface Watched {
  readonly group: Group
  readonly ended: (() => void) | undefined
  /** The octets of data that had come in at the last new key. */
  data: number
  inRow: number
}

export class KeyUpdates {
  readonly #defer: Defer
  readonly #groups = new Map<string, Group>()
  readonly #watched = new Map<Tls.TLSSocket, Watched>()

  constructor(defer: Defer) {
    this.#defer = defer
  }

  /**
   * Watches a stream to a peer with this address; to be called when its handshake is done. `ended` is called if it is ended because it
   * has too many.
   */
  watch(stream: Tls.TLSSocket, host: string, ended?: () => void): void {
    const network = networkOf(host)
    let group = this.#groups.get(network)
    if (group === undefined) this.#groups.set(network, group = { streams: new Set(), stopped: false })
    const { streams } = group
    streams.add(stream)
    this.#watched.set(stream, { group, ended, data: 0, inRow: 0 })
    stream.on("close", () => {
      this.#watched.delete(stream)
      if (streams.delete(stream) && streams.size === 0) this.#groups.delete(network)
    })
  }

  /** To be called with each line of "keylog"; those of handshakes do not count. */
  readonly logged = (line: Buffer, stream: Tls.TLSSocket): void => {
    if (line.toString("latin1", OF, OF + UPDATED.length) === UPDATED) this.count(stream)
  }

  /** Called within OpenSSL: reading can be stopped there, but what was read already still comes. */
  readonly count = (stream: Tls.TLSSocket): void => {
    const watched = this.#watched.get(stream)
    if (watched === undefined) return
    // Those of its network may be read after it in this turn, each for as long.
    if (this.#defer.read(0, true)) this.#stop(watched.group)
    if (stream.destroyed) return
    const data = stream.bytesRead
    watched.inRow = data === watched.data ? watched.inRow + 1 : 1
    watched.data = data
    if (watched.inRow <= MAX_NEW_KEYS) return
    stream.destroy(onlyUpdates())
    watched.ended?.()
  }

  /** Stops reading the sockets below, until the next turn; the owners of the streams do not notice. */
  #stop(group: Group): void {
    if (group.stopped) return
    group.stopped = true
    for (const stream of group.streams) handleOf(stream)?._parent?.readStop?.()
    this.#defer.nextTurn(() => {
      group.stopped = false
      for (const stream of group.streams) {
        const handle = handleOf(stream)
        if (handle?.reading === true) handle._parent?.readStart?.()
      }
    })
  }
}

/** The label of a line about a new key, behind the name of its side. */
const UPDATED = "_TRAFFIC_SECRET_N"
const OF = "CLIENT".length

const onlyUpdates = (): Error =>
  Object.assign(new Error("the peer sends KeyUpdates and no data"), { code: "ERR_TLS_KEY_UPDATES" })
