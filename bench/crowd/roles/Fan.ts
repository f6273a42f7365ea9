import type { Account } from "../../digest.ts"
import { Counter, makeBody, SendFrame } from "../../frames.ts"
import { type Faults, noFaults } from "../../input.ts"
import { Link, sourceAddress, type Target } from "../../link.ts"
import { inParallel } from "./inParallel.ts"
import { Meter } from "./Meter.ts"

const SIZE = 300

interface FanOptions {
  /** Messages under way over all routes together. */
  readonly window: number
  /** A second relay: the peer connects to it, and owners log in there through the first one. */
  readonly second?: Target
}

interface Owner {
  readonly link: Link
  readonly frame: SendFrame
  /** The times at which the last messages were sent, by their number modulo the window. */
  readonly sentAt: Float64Array
  sent: number
  arrived: number
}

/** One connection that writes to the owners of many sessions in turn. */
export class Fan extends Meter {
  private readonly access: { readonly target: Target; readonly account: Account }
  private readonly options: FanOptions
  private readonly peer: Link
  private readonly body = makeBody("text", SIZE)
  private readonly owners: Array<Owner> = []
  private next = 0
  private underWay = 0
  private resting = true
  private scheduled = false
  private delivered = 0

  private constructor(access: Fan["access"], options: FanOptions, peer: Link, faults: Faults) {
    super(faults)
    this.access = access
    this.options = options
    this.peer = peer
  }

  static async open(access: Fan["access"], options: FanOptions): Promise<Fan> {
    const faults = noFaults()
    const peer = await Link.open(options.second ?? access.target, "peer", faults)
    return new Fan(access, options, peer, faults)
  }

  /** Opens sessions until there are this many. */
  async grow(routes: number): Promise<void> {
    const { account, target } = this.access
    const { second, window } = this.options
    const first = this.owners.length
    const more = await inParallel(routes - first, async (i) => {
      const index = first + i
      const link = await Link.open(target, `o${index}`, this.faults, sourceAddress(target, index))
      const near = await link.authenticate(target, account)
      const usePath = second === undefined ? near : await link.authenticate(second, account, near)
      const prefix = `o${index.toString(36).padStart(4, "0")}`
      const frame = new SendFrame({
        prefix,
        toPath: [...usePath.split(" ").toReversed(), link.uri].join(" "),
        fromPath: this.peer.uri,
        body: this.body,
        contentType: "text/plain"
      })
      const owner = { link, frame, sentAt: new Float64Array(window), sent: 0, arrived: 0 }
      link.converse(frame, { id: new Counter(prefix), body: this.body })
      link.onRead = () => this.read(owner)
      return owner
    })
    this.owners.push(...more)
  }

  /** Stops sending, and waits until all messages have arrived. */
  async rest(): Promise<void> {
    this.resting = true
    for (let i = 0; i < 100 && this.underWay > 0; i++) await new Promise((resolve) => setTimeout(resolve, 20))
    if (this.underWay > 0) throw new Error(`${this.underWay} messages did not arrive: ${this.faults.first}`)
  }

  resume(): void {
    this.resting = false
    this.fill()
  }

  protected totals() {
    return [this.delivered, this.delivered * SIZE] as const
  }

  private read(owner: Owner): void {
    const { link, sentAt } = owner
    const now = performance.now()
    const fresh = link.delivered - owner.arrived
    for (let n = owner.arrived; n < link.delivered; n++) this.latencies.record(now - sentAt[n % sentAt.length]!)
    owner.arrived = link.delivered
    link.flush()
    this.delivered += fresh
    this.underWay -= fresh
    if (fresh > 0 && !this.scheduled) {
      // Messages that arrive in one turn are answered by one write, as a client with many sessions would do.
      this.scheduled = true
      setImmediate(() => {
        this.scheduled = false
        this.fill()
      })
    }
  }

  private fill(): void {
    if (this.resting) return
    const now = performance.now()
    while (this.underWay < this.options.window) {
      const owner = this.owners[this.next]!
      this.next = (this.next + 1) % this.owners.length
      owner.sentAt[owner.sent++ % owner.sentAt.length] = now
      this.peer.send(owner.frame)
      this.underWay++
    }
    this.peer.flush()
  }
}
