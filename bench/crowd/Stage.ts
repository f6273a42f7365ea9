import { mkdtemp, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { openFiles, type Processors, processTree } from "../cpu.ts"
import type { Account } from "../digest.ts"
import type { Access } from "../pair.ts"
import type { Relay } from "../relays.ts"
import type { Transport } from "../scenarios.ts"
import type { Roles } from "./client.ts"
import { type Options, Remote } from "./remote.ts"
import type { Metered } from "./roles/Meter.ts"

/** The options of all scenarios of the crowd. */
export interface Setting {
  /** The first one is this relay, unless only Kamailio is measured. */
  readonly relays: ReadonlyArray<Relay>
  readonly apart: Processors | undefined
  /** Length of each measurement. */
  readonly seconds: number
  /** Factor for the numbers of clients; below 1 to test the benchmark itself. */
  readonly scale: number
  readonly transports: ReadonlyArray<Transport>
  readonly print: (line: string) => void
  readonly fail: (what: string) => void
  /** The command that starts this relay, for scenarios that need several. */
  readonly command: string
  readonly readySeconds: number
}

export const account: Account = { user: "bench", password: "secret" }

/** Limits that are high enough for any crowd. */
export const crowdLimits = {
  MSRP_MAX_CONNECTIONS: "60000",
  MSRP_MAX_CONNECTIONS_PER_ADDRESS: "60000",
  MSRP_MAX_CONNECTIONS_IN_PROBATION: "60000",
  MSRP_MAX_SESSIONS: "100000",
  MSRP_MAX_SESSIONS_PER_CONNECTION: "60000",
  MSRP_MAX_SESSIONS_PER_USER: "100000",
  MSRP_MAX_DIALS: "10000"
}

export const scaled = ({ scale }: Setting, count: number): number => Math.max(1, Math.round(count * scale))

/** The number of faults of all kinds. */
export const errorsIn = ({ faults }: Metered): number =>
  faults.responses + faults.reports + faults.damaged + faults.broken

/** A running relay with the clients of one measurement. */
export class Stage {
  readonly access: Access
  private readonly roots: ReadonlyArray<number>
  private readonly clientProcessors: string | undefined
  private readonly stopRelay: () => Promise<void>
  private readonly directory: string
  private readonly clients: Array<{ readonly end: () => void }> = []
  private stopped = false

  private constructor(
    access: Access,
    roots: ReadonlyArray<number>,
    processors: string | undefined,
    stop: () => Promise<void>,
    directory: string
  ) {
    this.access = access
    this.roots = roots
    this.clientProcessors = processors
    this.stopRelay = stop
    this.directory = directory
  }

  /** Starts the relay, uses the stage, and stops everything on it. A failure is passed to `setting.fail`. */
  static async use(
    setting: Setting,
    relay: Relay,
    transport: Transport,
    what: string,
    use: (stage: Stage) => Promise<void>,
    pauses = false
  ): Promise<void> {
    const directory = await mkdtemp(join(tmpdir(), "msrp-crowd-"))
    try {
      const { others = [], pid, stop, target } = await relay.start({
        transport,
        account,
        processors: setting.apart?.relay,
        ...(pauses ? { pauses: join(directory, "pauses") } : {})
      })
      const stage = new Stage({ target, account }, [pid, ...others], setting.apart?.client, stop, directory)
      try {
        await use(stage)
      } finally {
        await stage.stop()
      }
    } catch (error) {
      setting.fail(`${what}, ${relay.name}, ${transport}: ${(error as Error).message}`)
    } finally {
      await rm(directory, { recursive: true, force: true })
    }
  }

  /** All processes of the relay; some start only when it accepts connections already. */
  get pids(): ReadonlyArray<number> {
    return this.roots.flatMap(processTree)
  }

  async client<N extends keyof Roles>(name: N, ...options: Options<N>) {
    const remote = await Remote.open(name, this.access, this.clientProcessors, ...options)
    this.clients.push(remote)
    return remote
  }

  /** The relay's longest pause since the last call, in milliseconds; `undefined` if pauses are not measured. */
  async pause(): Promise<number | undefined> {
    const file = join(this.directory, "pauses")
    await rm(file, { force: true })
    process.kill(this.roots[0]!, "SIGUSR2")
    return this.readPause(10)
  }

  /** About the number of connections of the relay. */
  connections(): number {
    return openFiles(this.pids)
  }

  /** Stops the relay while its clients are connected; returns the time that this took, and the longest pause. */
  async stopWithClients(): Promise<{ readonly seconds: number; readonly pause: number | undefined }> {
    await rm(join(this.directory, "pauses"), { force: true })
    const start = performance.now()
    this.stopped = true
    await this.stopRelay()
    return { seconds: (performance.now() - start) / 1000, pause: await this.readPause(0) }
  }

  private async stop(): Promise<void> {
    for (const client of this.clients) client.end()
    if (!this.stopped) await this.stopRelay()
  }

  private async readPause(seconds: number): Promise<number | undefined> {
    const deadline = performance.now() + seconds * 1000
    for (;;) {
      const text = await readFile(join(this.directory, "pauses"), "utf8").catch(() => "")
      if (text !== "") return Number(text)
      if (performance.now() >= deadline) return undefined
      await sleep(20)
    }
  }
}

/** Runs meters at the same time. The first one also measures the relay's CPU time and memory. */
export const measure = async (
  stage: Stage,
  seconds: number,
  ...meters: ReadonlyArray<Pick<Remote<unknown>, "begin" | "measured">>
): Promise<Array<Metered>> => {
  const { pids } = stage
  await Promise.all(meters.map((meter, i) => meter.begin(i === 0 ? pids : [])))
  await sleep(seconds * 1000)
  return Promise.all(meters.map((meter) => meter.measured()))
}
