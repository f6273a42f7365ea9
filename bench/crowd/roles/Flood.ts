import { setPriority } from "node:os"
import { Counter, makeBody, SendFrame } from "../../frames.ts"
import { Link, sourceAddress } from "../../link.ts"
import type { Access } from "../../pair.ts"
import { inParallel } from "./inParallel.ts"
import { Meter } from "./Meter.ts"

/** Octets that a sender writes before the next one has its turn. */
const TURN = 65_536

/** The lowest priority: the relay may delay a quiet pair, but this client must not. */
const LOWEST_PRIORITY = 19

interface Sender {
  readonly link: Link
  /** Messages of one turn. */
  readonly batch: number
  waiting: boolean
}

/** Pairs whose peers never wait: they write as much as the connection takes. */
export class Flood extends Meter {
  private owners: ReadonlyArray<Link> = []
  private senders: ReadonlyArray<Sender> = []
  private active = 0
  private scheduled = false

  /** `deaf`: whether the owners stop reading after their login. */
  static async open(
    { account, target }: Access,
    { deaf, pairs, size }: { readonly pairs: number; readonly size: number; readonly deaf: boolean }
  ): Promise<Flood> {
    setPriority(LOWEST_PRIORITY)
    const flood = new Flood()
    const { faults } = flood
    const body = makeBody("text", size)
    const opened = await inParallel(pairs, async (index) => {
      const owner = await Link.open(target, `fa${index}`, faults, sourceAddress(target, index))
      const usePath = await owner.authenticate(target, account)
      const peer = await Link.open(target, `fb${index}`, faults, sourceAddress(target, index))
      const prefix = `f${index.toString(36).padStart(4, "0")}`
      const toOwner = { prefix, toPath: `${usePath} ${owner.uri}`, fromPath: peer.uri, body, contentType: "text/plain" }
      peer.converse(new SendFrame(toOwner), { id: new Counter("none"), body })
      const nothing = { ...toOwner, toPath: peer.uri, fromPath: owner.uri }
      owner.converse(new SendFrame(nothing), { id: new Counter(prefix), body })
      owner.onRead = () => owner.flush()
      if (deaf) owner.pause()
      // The relay closes connections that bring no message for long, and some senders wait long for their turn.
      peer.send()
      peer.flush()
      return { owner, peer }
    })
    flood.owners = opened.map(({ owner }) => owner)
    flood.senders = opened.map(({ peer }) => ({ link: peer, batch: Math.ceil(TURN / (size + 250)), waiting: false }))
    for (const sender of flood.senders) {
      sender.link.onDrain(() => {
        sender.waiting = false
        flood.schedule()
      })
    }
    return flood
  }

  /** Makes the first `active` pairs send; the others rest. */
  run(active: number): void {
    this.active = active
    this.schedule()
  }

  /** The number of messages that were written, and of senders that cannot write more. */
  written() {
    const messages = this.senders.reduce((sum, { link }) => sum + link.sent, 0)
    return { messages, held: this.senders.filter(({ waiting }) => waiting).length }
  }

  protected totals() {
    let messages = 0
    let octets = 0
    for (const owner of this.owners) {
      messages += owner.delivered
      octets += owner.octets
    }
    return [messages, octets] as const
  }

  private schedule(): void {
    if (this.scheduled) return
    this.scheduled = true
    setImmediate(() => {
      this.scheduled = false
      this.turn()
    })
  }

  private turn(): void {
    for (let i = 0; i < this.active; i++) {
      const sender = this.senders[i]!
      if (sender.waiting) continue
      for (let n = 0; n < sender.batch; n++) sender.link.send()
      sender.link.flush()
      if (sender.link.held) sender.waiting = true
      else this.schedule()
    }
  }
}
