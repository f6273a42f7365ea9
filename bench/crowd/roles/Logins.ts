import { setTimeout as sleep } from "node:timers/promises"
import { noFaults } from "../../input.ts"
import { Latencies } from "../../latencies.ts"
import { Link, sourceAddress } from "../../link.ts"
import type { Access } from "../../pair.ts"
import { inParallel } from "./inParallel.ts"

/** Seconds after which an attempt has failed, and attempts after which a client gives up. */
const PATIENCE = 20
const ATTEMPTS = 10
/** Milliseconds, on average, before the next attempt. */
const RETRY = 500

export interface LoginResult {
  /** Seconds until all clients were logged in or had given up. */
  readonly seconds: number
  readonly loggedIn: number
  /** Clients that needed more than one attempt, and the number of further attempts of all clients. */
  readonly again: number
  readonly retries: number
  /** Milliseconds from the first attempt of a client to its login. */
  readonly p50: number
  readonly p99: number
  /** The first reason for another attempt. */
  readonly reason: string | undefined
}

/** Clients that only log in. */
export class Logins {
  private readonly access: Access
  private readonly links = new Set<Link>()

  private constructor(access: Access) {
    this.access = access
  }

  static open(access: Access): Promise<Logins> {
    return Promise.resolve(new Logins(access))
  }

  /** Logs in `count` more clients, `concurrency` at a time. */
  async logIn(clients: number, concurrency: number): Promise<LoginResult> {
    const start = performance.now()
    const latencies = new Latencies()
    let [loggedIn, again, retries] = [0, 0, 0]
    let reason: string | undefined
    await inParallel(clients, async (index) => {
      const first = performance.now()
      for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
        try {
          await this.attempt(index)
          loggedIn++
          latencies.record(performance.now() - first)
          return
        } catch (error) {
          reason ??= (error as Error).message
          retries++
          if (attempt === 1) again++
          await sleep(RETRY * (0.5 + Math.random()))
        }
      }
    }, concurrency)
    const seconds = (performance.now() - start) / 1000
    return { seconds, loggedIn, again, retries, p50: latencies.quantile(0.5), p99: latencies.quantile(0.99), reason }
  }

  /** Closes all connections at once. */
  closeAll(): void {
    for (const link of this.links) link.destroy()
    this.links.clear()
  }

  private attempt(index: number): Promise<void> {
    const { account, target } = this.access
    return new Promise((resolve, reject) => {
      let link: Link | undefined
      let over = false
      const limit = setTimeout(() => {
        over = true
        link?.destroy()
        reject(new Error(link === undefined ? "not connected in time" : "no answer in time"))
      }, PATIENCE * 1000)
      const logIn = async () => {
        link = await Link.open(target, `l${index}`, noFaults(), sourceAddress(target, index))
        if (over) return link.destroy()
        await link.authenticate(target, account)
        this.links.add(link)
      }
      logIn().then(resolve, reject).finally(() => clearTimeout(limit))
    })
  }
}
