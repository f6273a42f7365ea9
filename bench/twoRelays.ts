import { certificates } from "./certificates.ts"
import type { Target } from "./link.ts"
import { freePorts, type Relay, startOwn } from "./relays.ts"

/** The address of each relay; they differ, so that neither takes the other for itself. */
const HOSTS = ["127.0.0.1", "127.0.1.1"] as const

type Address = Pick<Target, "host" | "port" | "uri">

interface TwoRelaysOptions {
  /** The command that starts each relay, and the seconds within which it must be ready. */
  readonly command: string
  readonly readySeconds: number
  /** The number of certificates of each relay. */
  readonly certificates: number
  readonly settings: Readonly<Record<string, string>>
  /** Called when the second relay has started. */
  readonly started: (second: Target) => void
}

/** Two relays that authenticate each other, used as one: owners of sessions connect to the first, their peers to the second. */
export const twoRelays = (
  { certificates: count, command, readySeconds, settings, started }: TwoRelaysOptions
): Relay => ({
  name: "msrp-relay",
  supports: () => true,
  start: async ({ account, processors }) => {
    const files = await certificates(HOSTS, count)
    const ports = await freePorts(2)
    const [near, far] = HOSTS.map((host, i) => ({ host, port: ports[i]!, uri: `msrps://${host}:${ports[i]!};tcp` }))
    const start = ({ host, port, uri }: Address, tls: Record<string, string>) =>
      startOwn(command, {
        env: { MSRP_URIS: uri, MSRP_USERS: `${account.user}:${account.password}`, ...settings, ...tls },
        processors,
        hosts: [host],
        port,
        readySeconds
      })
    const first = await start(near!, files.env[0]!)
    try {
      const second = await start(far!, files.env[1]!)
      started({ transport: "tls", ...far! })
      return {
        target: { transport: "tls", ...near! },
        pid: first.pid,
        others: [second.pid],
        stop: async () => {
          await Promise.all([first.stop(), second.stop()])
          await files.remove()
        }
      }
    } catch (error) {
      await first.stop()
      throw error
    }
  }
})
