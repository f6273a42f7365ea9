import { certificates } from "./certificates.ts"
import type { Target } from "./link.ts"
import { freePorts, type Relay, startOwn } from "./relays.ts"

/** The two relays have addresses of their own, so that each is somebody else for the other. */
const HOSTS = ["127.0.0.1", "127.0.1.1"] as const

type Address = Pick<Target, "host" | "port" | "uri">

interface TwoRelaysOptions {
  /** What starts each, and the seconds that it may take. */
  readonly command: string
  readonly readySeconds: number
  /** That each of them has. */
  readonly certificates: number
  readonly settings: Readonly<Record<string, string>>
  /** Told where the second one is. */
  readonly started: (second: Target) => void
}

/** Two relays that prove to each other who they are, as one: owners reach the first, their peer the second. */
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
