/** Users of the relay while it is attacked, and the delays that they see. */
import { setTimeout as sleep } from "node:timers/promises"
import type { Account } from "./digest.ts"
import { Counter, makeBody, SendFrame } from "./frames.ts"
import { noFaults } from "./input.ts"
import { Latencies } from "./latencies.ts"
import { Link, type Target } from "./link.ts"

const PAIRS = 10
/** Milliseconds between two messages of a pair. */
const INTERVAL = 10
const LOGIN_INTERVAL = 100
/** Milliseconds after which a login has failed. */
const LOGIN_PATIENCE = 5000

/** Delays in milliseconds, and numbers of logins. */
export interface Times {
  readonly p50: number
  readonly p99: number
  readonly login: number
  readonly logins: number
  readonly failedLogins: number
}

export interface BystandersOptions {
  readonly target: Target
  /** A second relay: owners of sessions log in there through the first one, and their peers connect to it. */
  readonly second: Target | undefined
  readonly account: Account
}

/** Pairs that send messages, and a client that logs in repeatedly. */
export class Bystanders {
  readonly faults = noFaults()
  failedLogins = 0
  private readonly options: BystandersOptions
  private readonly messages = new Latencies()
  private readonly logins = new Latencies()
  private begun: Array<Promise<boolean>> = []
  private stopped = false

  private constructor(options: BystandersOptions) {
    this.options = options
  }

  static async open(options: BystandersOptions): Promise<Bystanders> {
    const all = new Bystanders(options)
    for (let i = 0; i < PAIRS; i++) await all.converse(i)
    void (async () => {
      while (!all.stopped) {
        all.begun.push(all.login())
        await sleep(LOGIN_INTERVAL)
      }
    })()
    return all
  }

  /** Measures messages and logins for some seconds; waits for logins that have begun and not ended by then. */
  async measure(seconds: number): Promise<Times> {
    this.messages.clear()
    this.logins.clear()
    this.begun = []
    await sleep(seconds * 1000)
    const [p50, p99] = [this.messages.quantile(0.5), this.messages.quantile(0.99)]
    const ended = await Promise.all(this.begun)
    const failedLogins = ended.filter((done) => !done).length
    return { p50, p99, login: this.logins.quantile(0.5), logins: ended.length, failedLogins }
  }

  stop(): void {
    this.stopped = true
  }

  private async authenticate(link: Link): Promise<string> {
    const { account, second, target } = this.options
    const near = await link.authenticate(target, account)
    return second === undefined ? near : await link.authenticate(second, account, near)
  }

  /** Sends one message at a time from a peer to the owner of a session. */
  private async converse(index: number): Promise<void> {
    const { second, target } = this.options
    const owner = await Link.open(target, `a${index}`, this.faults)
    const usePath = await this.authenticate(owner)
    const peer = await Link.open(second ?? target, `b${index}`, this.faults)
    const body = makeBody("text", 300)
    const prefix = `f${index}x`
    const toPath = [...usePath.split(" ").toReversed(), owner.uri].join(" ")
    const frame = new SendFrame({ prefix, toPath, fromPath: peer.uri, body, contentType: "text/plain" })
    peer.converse(frame, { id: new Counter("none"), body })
    const nobody = { prefix: "none", toPath: peer.uri, fromPath: owner.uri, body, contentType: "text/plain" }
    owner.converse(new SendFrame(nobody), { id: new Counter(prefix), body })
    let sentAt = 0
    owner.onRead = () => {
      if (owner.delivered === peer.sent && sentAt > 0) {
        this.messages.record(performance.now() - sentAt)
        sentAt = 0
      }
      owner.flush()
    }
    void (async () => {
      while (!this.stopped) {
        if (sentAt === 0) {
          sentAt = performance.now()
          peer.send()
          peer.flush()
        }
        await sleep(INTERVAL)
      }
      await Promise.all([owner.close(), peer.close()])
    })()
  }

  private async login(): Promise<boolean> {
    const start = performance.now()
    let link: Link | undefined
    const attempt = async (): Promise<boolean> => {
      link = await Link.open(this.options.target, "login", noFaults())
      await this.authenticate(link)
      return true
    }
    const done = await Promise.race([
      attempt().catch(() => false),
      sleep(LOGIN_PATIENCE, false, { ref: false })
    ])
    link?.destroy()
    if (done) this.logins.record(performance.now() - start)
    else if (!this.stopped) this.failedLogins++
    return done
  }
}
