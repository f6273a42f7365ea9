import type { Account } from "./digest.ts"
import { Counter, SendFrame } from "./frames.ts"
import type { Faults } from "./input.ts"
import type { Latencies } from "./latencies.ts"
import { Link, type Target } from "./link.ts"
import type { MessageScenario } from "./scenarios.ts"

/** A relay, and an account there. */
export interface Access {
  readonly target: Target
  readonly account: Account
}

/** The messages that two ends send each other. */
export interface Conversation {
  /** Messages under way in each direction, counted until they arrive at the far end. */
  readonly window: number
  readonly kind: MessageScenario["body"]
  /** The body of every message. */
  readonly body: Buffer
}

/** Two ends of a session: `a` is authenticated at the relay, `b` knows its Use-Path URI. */
export class Pair {
  readonly a: Link
  readonly b: Link
  private resting = false
  private readonly window: number
  private readonly latencies: Latencies
  /** When the last messages to each end were sent, by number modulo the window. */
  private readonly sentTo: { readonly a: Float64Array; readonly b: Float64Array }

  private constructor(
    a: Link,
    b: Link,
    usePath: string,
    index: number,
    { body, kind, window }: Conversation,
    latencies: Latencies
  ) {
    this.a = a
    this.b = b
    this.window = window
    this.latencies = latencies
    this.sentTo = { a: new Float64Array(window), b: new Float64Array(window) }
    const contentType = kind === "text" ? "text/plain" : "application/octet-stream"
    const prefix = index.toString(36).padStart(4, "0")
    // To-Path is the other end's path: from b through the relay to a, and from a through the same relay to b.
    const frame = (from: Link, to: Link, mark: string) =>
      new SendFrame({ prefix: prefix + mark, toPath: `${usePath} ${to.uri}`, fromPath: from.uri, body, contentType })
    a.converse(frame(a, b, "a"), { id: new Counter(`${prefix}b`), body })
    b.converse(frame(b, a, "b"), { id: new Counter(`${prefix}a`), body })
  }

  static async open(
    { account, target }: Access,
    conversation: Conversation,
    index: number,
    faults: Faults,
    latencies: Latencies,
    localAddress?: string
  ): Promise<Pair> {
    const a = await Link.open(target, `a${index}`, faults, localAddress)
    const usePath = await a.authenticate(target, account)
    const b = await Link.open(target, `b${index}`, faults, localAddress)
    return new Pair(a, b, usePath, index, conversation, latencies)
  }

  /** Sends one message from `b`; when `a` has it, both ends send. */
  start(): Promise<void> {
    return new Promise((resolve) => {
      this.a.onRead = () => {
        // A long message comes in chunks, and the next one comes only when the one before is answered.
        if (this.a.delivered === 0) return this.a.flush()
        this.a.onRead = this.reader(this.a, this.b, this.sentTo.a)
        this.b.onRead = this.reader(this.b, this.a, this.sentTo.b)
        this.a.onRead()
        this.fill(this.a, this.b, this.sentTo.b, performance.now())
        this.a.flush()
        resolve()
      }
      this.sentTo.a[0] = performance.now()
      this.b.send()
      this.b.flush()
    })
  }

  /** Stops sending; messages that are under way still arrive. */
  rest(): void {
    this.resting = true
  }

  /** Sends again after `rest`. */
  resume(): void {
    this.resting = false
    const now = performance.now()
    this.fill(this.a, this.b, this.sentTo.b, now)
    this.fill(this.b, this.a, this.sentTo.a, now)
    this.a.flush()
    this.b.flush()
  }

  private reader(link: Link, peer: Link, sentAt: Float64Array): () => void {
    const { latencies, window } = this
    let counted = 0
    return () => {
      if (link.delivered > counted) {
        const now = performance.now()
        for (; counted < link.delivered; counted++) latencies.record(now - sentAt[counted % window]!)
        if (!this.resting) {
          this.fill(peer, link, sentAt, now)
          peer.flush()
        }
      }
      link.flush()
    }
  }

  private fill(from: Link, to: Link, sentAt: Float64Array, now: number): void {
    while (from.sent - to.delivered < this.window) {
      sentAt[from.sent % this.window] = now
      from.send()
    }
  }
}
