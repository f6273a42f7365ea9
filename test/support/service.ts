/** The service as a process of its own, on loopback. */
import { type ChildProcess, spawn, type StdioOptions } from "node:child_process"
import { once } from "node:events"
import * as Net from "node:net"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../..", import.meta.url))

/** What runs the service. */
export const COMMAND: readonly [string, ...ReadonlyArray<string>] = [process.execPath, "src/service/bin.ts"]

/** Milliseconds of real time after which something that is waited for will not come any more. */
const PATIENCE = 60_000

export interface Started {
  readonly child: ChildProcess
  readonly port: number
}

/** A port of loopback that nobody has now. */
export const freePort = async (): Promise<number> => {
  const server = Net.createServer().listen(0, "127.0.0.1")
  await once(server, "listening")
  const { port } = server.address() as Net.AddressInfo
  server.close()
  await once(server, "close")
  return port
}

/** Looks again and again until it holds. */
export const eventually = async (condition: () => boolean | Promise<boolean>, what: string): Promise<void> => {
  const end = performance.now() + PATIENCE
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`${what} did not come`)
    await new Promise((resume) => setTimeout(resume, 20))
  }
}

export const connects = (port: number): Promise<boolean> =>
  new Promise((resume) => {
    const socket = Net.connect(port, "127.0.0.1")
    socket.once("error", () => resume(false))
    socket.once("connect", () => {
      socket.destroy()
      resume(true)
    })
  })

export interface Start {
  readonly command?: ReadonlyArray<string>
  readonly stdout?: "pipe" | "ignore" | number
  /** To listen on; a free one when absent. */
  readonly port?: number
  readonly env?: Readonly<Record<string, string>>
}

/** Starts it, and waits until it listens. */
export const start = async (
  { command = COMMAND, env = {}, port: wanted, stdout = "pipe" }: Start = {}
): Promise<Started> => {
  const port = wanted ?? await freePort()
  // Neither the settings of these tests, nor that npm runs them.
  const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(?:MSRP_|npm_)/.test(name)))
  const [first, ...others] = command
  const stdio: StdioOptions = ["ignore", stdout, "pipe"]
  const child = spawn(first!, others, {
    cwd: root,
    stdio,
    env: {
      ...inherited,
      MSRP_URIS: `msrp://127.0.0.1:${port};tcp`,
      MSRP_USERS: "alice:wonderland",
      MSRP_LOG_FORMAT: "logfmt",
      ...env
    }
  })
  child.stderr!.resume()
  try {
    await eventually(() => child.exitCode !== null || connects(port), "the listener")
    // It listens for operators once it serves.
    const admin = /^127\.0\.0\.1:(\d+)$/.exec(env["MSRP_ADMIN"] ?? "")
    if (admin !== null) await eventually(() => child.exitCode !== null || connects(Number(admin[1])), "the admin API")
  } catch (error) {
    child.kill()
    throw error
  }
  return { child, port }
}

/** Its end: the code, or the signal. */
export const ended = async (child: ChildProcess): Promise<number | string> => {
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit")
  return child.exitCode ?? child.signalCode!
}

/** What it writes from now on. */
export const output = (child: ChildProcess): { text: string } => {
  const all = { text: "" }
  child.stdout!.on("data", (octets: Buffer) => all.text += octets.toString())
  return all
}

/** Connections that bring something else than MSRP, until the relay has closed them all. */
export const garbage = (port: number, count: number): Promise<void> =>
  new Promise((resume, fail) => {
    let [left, open] = [count, 0]
    const more = (): void => {
      while (open < 100 && left > 0) {
        left--
        open++
        const socket = Net.connect(port, "127.0.0.1", () => void socket.write("GET / HTTP/1.1\r\n\r\n")).resume()
        socket.on("error", (error: NodeJS.ErrnoException) => {
          if (error.code === "ECONNREFUSED") fail(error)
        })
        socket.on("close", () => {
          open--
          if (left === 0 && open === 0) resume()
          else more()
        })
      }
    }
    more()
  })
