import { Counter, makeBody, SendFrame } from "../../frames.ts"
import { type Faults, noFaults } from "../../input.ts"
import { Link, sourceAddress } from "../../link.ts"
import type { Access } from "../../pair.ts"
import { Meter } from "./Meter.ts"

/** Milliseconds between two messages, varied by a quarter, so that they do not synchronize with other events. */
const INTERVAL = 20
const SIZE = 100
/** Messages under way that are remembered, as many as are sent in some minutes. */
const REMEMBERED = 16_384

/**
 * A pair that sends little: the peer sends messages at intervals, whether the one before has arrived or not, and the owner
 * sends one back for each. Round trips are measured, also those that have not ended.
 */
export class Quiet extends Meter {
  private readonly peer: Link
  private readonly sentAt = new Float64Array(REMEMBERED)
  private back = 0

  private constructor(owner: Link, peer: Link, usePath: string, faults: Faults) {
    super(faults)
    this.peer = peer
    const body = makeBody("text", SIZE)
    const frame = (from: Link, to: Link, prefix: string) =>
      new SendFrame({ prefix, toPath: `${usePath} ${to.uri}`, fromPath: from.uri, body, contentType: "text/plain" })
    owner.converse(frame(owner, peer, "quieta"), { id: new Counter("quietb"), body })
    peer.converse(frame(peer, owner, "quietb"), { id: new Counter("quieta"), body })
    owner.onRead = () => {
      while (owner.sent < owner.delivered) owner.send()
      owner.flush()
    }
    peer.onRead = () => {
      const now = performance.now()
      for (; this.back < peer.delivered; this.back++) this.latencies.record(now - this.sentAt[this.back % REMEMBERED]!)
      peer.flush()
    }
  }

  static async open({ account, target }: Access): Promise<Quiet> {
    const faults = noFaults()
    const owner = await Link.open(target, "quieta", faults, sourceAddress(target, 199))
    const usePath = await owner.authenticate(target, account)
    const peer = await Link.open(target, "quietb", faults, sourceAddress(target, 199))
    const quiet = new Quiet(owner, peer, usePath, faults)
    quiet.say()
    return quiet
  }

  override end() {
    const now = performance.now()
    for (let n = this.back; n < this.peer.sent; n++) this.latencies.record(now - this.sentAt[n % REMEMBERED]!)
    return super.end()
  }

  protected totals() {
    return [this.peer.delivered, this.peer.octets] as const
  }

  private say(): void {
    this.sentAt[this.peer.sent % REMEMBERED] = performance.now()
    this.peer.send()
    this.peer.flush()
    setTimeout(() => this.say(), INTERVAL * (0.75 + Math.random() / 2))
  }
}
