/**
 * Starts and stops the measured relays: this one, and Kamailio with its `msrp` module.
 */
import { type ChildProcess, execFile, spawn } from "node:child_process"
import { existsSync } from "node:fs"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { type AddressInfo, connect, createServer } from "node:net"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { onProcessors, processTree } from "./cpu.ts"
import type { Account } from "./digest.ts"
import type { Target } from "./link.ts"
import { isWebSocket, type Scenario, type Transport, transports, uriOf } from "./scenarios.ts"

export interface RunningRelay {
  readonly target: Target
  /** The first process; all others are its descendants. */
  readonly pid: number
  /** The first processes of further relays that belong to this one. */
  readonly others?: ReadonlyArray<number>
  /** Octets that were logged so far. */
  readonly logged?: () => number
  readonly stop: () => Promise<void>
}

export interface RelayOptions {
  readonly transport: Transport
  /** The only user of the relay. */
  readonly account: Account
  /** The processors of the relay, as a list for `taskset`; `undefined`: any. */
  readonly processors: string | undefined
  /** The file to which the relay writes pauses of its event loop (pauses.ts); absent: pauses are not measured. */
  readonly pauses?: string
}

export interface Relay {
  readonly name: string
  /** Whether the relay can run the scenario. */
  readonly supports: (scenario: Scenario, transport: Transport) => boolean
  readonly start: (options: RelayOptions) => Promise<RunningRelay>
}

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const loopback = ["127.0.0.1", "::1"]

/** Returns different ports that nothing listens on. */
export const freePorts = async (count: number): Promise<Array<number>> => {
  const servers = await Promise.all(
    Array.from({ length: count }, () =>
      new Promise<ReturnType<typeof createServer>>((resolve, reject) => {
        const server = createServer().once("error", reject)
        server.listen(0, "127.0.0.1", () => resolve(server))
      }))
  )
  const ports = servers.map((server) => (server.address() as AddressInfo).port)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}

const accepts = (host: string, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host, port })
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false)).once("close", () => resolve(false))
    socket.once("connect", () => socket.destroy())
  })

interface StartOptions {
  readonly command: string
  readonly args: ReadonlyArray<string>
  readonly env?: Record<string, string>
  readonly processors: string | undefined
  readonly port: number
  readonly readySeconds: number
  /** Addresses on which the process may listen; the first one that accepts connections is used. */
  readonly hosts?: ReadonlyArray<string>
}

const running = new Set<ChildProcess>()
process.once("exit", () => {
  for (const child of running) child.kill("SIGTERM")
})

const stopProcess = async (child: ChildProcess, ended: Promise<unknown>): Promise<void> => {
  const pids = processTree(child.pid!)
  child.kill("SIGTERM")
  const inTime = await Promise.race([ended.then(() => true), sleep(10_000, false, { ref: false })])
  if (inTime) return
  for (const pid of pids) {
    try {
      process.kill(pid, "SIGKILL")
    } catch {
      // ended meanwhile
    }
  }
  await ended
}

/** A command that raises the limit of open files to the hard limit, and then runs its arguments. */
const withAllFiles = ["bash", "-c", "ulimit -n \"$(ulimit -H -n)\" 2>/dev/null; exec \"$@\"", "bash"]

/** Starts a process and waits until its port accepts connections. */
const startProcess = async (options: StartOptions) => {
  const command = onProcessors(options.processors, [options.command, ...options.args])
  const [program = "", ...args] = [...withAllFiles, ...command]
  const child = spawn(program, args, {
    cwd: root,
    env: { ...process.env, ...options.env },
    stdio: ["ignore", "pipe", "pipe"]
  })
  running.add(child)
  let output = ""
  let octets = 0
  const end: { reason?: string } = {}
  const collect = (text: Buffer) => {
    octets += text.length
    output = (output + text.toString()).slice(-4000)
  }
  child.stdout.on("data", collect)
  child.stderr.on("data", collect)
  const ended = new Promise<void>((resolve) => {
    child.once("error", (error) => {
      end.reason = error.message
      running.delete(child)
      resolve()
    })
    child.once("exit", (code, signal) => {
      end.reason ??= `it ended with ${signal ?? `status ${code}`}`
      running.delete(child)
      resolve()
    })
  })
  const deadline = performance.now() + options.readySeconds * 1000
  while (end.reason === undefined && performance.now() < deadline) {
    for (const host of options.hosts ?? loopback) {
      if (!(await accepts(host, options.port))) continue
      return { host, pid: child.pid!, logged: () => octets, stop: () => stopProcess(child, ended) }
    }
    await sleep(50)
  }
  if (end.reason === undefined) await stopProcess(child, ended)
  throw new Error(`${options.command} does not accept connections: ${end.reason}\n${output}`)
}

/** The command that `npm start` runs. */
export const startCommand = "node --max-semi-space-size=8 src/service/bin.ts"

const pausesModule = new URL("pauses.ts", import.meta.url).href

const pausesEnv = (file: string | undefined): Record<string, string> =>
  file === undefined
    ? {}
    : { NODE_OPTIONS: `${process.env["NODE_OPTIONS"] ?? ""} --import=${pausesModule}`, BENCH_PAUSES: file }

/** Starts this relay by a command line, in the directory of the project. */
export const startOwn = (
  command: string,
  options: Omit<StartOptions, "command" | "args"> & { readonly pauses?: string | undefined }
) => {
  const [program = "node", ...args] = command.split(" ")
  return startProcess({
    ...options,
    command: program === "node" ? process.execPath : program,
    args,
    // The relay ends at once, even if clients are connected.
    env: { MSRP_LOG_LEVEL: "warn", MSRP_DRAIN_TIMEOUT: "0", ...pausesEnv(options.pauses), ...options.env }
  })
}

/**
 * This relay. `command` starts it within `readySeconds`; `settings` are further variables of its environment.
 */
export const ownRelay = (
  command = startCommand,
  readySeconds = 20,
  settings: Readonly<Record<string, string>> = {}
): Relay => ({
  name: "msrp-relay",
  supports: () => true,
  start: async ({ account, pauses, processors, transport }) => {
    // WebSocket only if it is measured, because earlier versions do not support it.
    const used = transports.filter((one) => !isWebSocket(one) || one === transport)
    const ports = await freePorts(used.length)
    const port = ports[used.indexOf(transport)]!
    const { host, logged, pid, stop } = await startOwn(command, {
      env: {
        MSRP_URIS: used.map((one, i) => uriOf(one, `localhost:${ports[i]}`)).join(","),
        // All sessions belong to one user.
        MSRP_MAX_SESSIONS_PER_USER: "100000",
        MSRP_USERS: `${account.user}:${account.password}`,
        ...settings
      },
      processors,
      pauses,
      port,
      readySeconds
    })
    return { target: { transport, host, port, uri: uriOf(transport, `localhost:${port}`) }, pid, logged, stop }
  }
})

const moduleDirectories = [
  "/usr/lib/x86_64-linux-gnu/kamailio/modules/",
  "/usr/lib/aarch64-linux-gnu/kamailio/modules/",
  "/usr/lib64/kamailio/modules/",
  "/usr/lib/kamailio/modules/",
  "/usr/local/lib64/kamailio/modules/",
  "/usr/local/lib/kamailio/modules/"
]

/** Octets of the largest body that its `msrp` module accepts, a constant at compile time. */
const kamailioMaxBody = 10_240

interface KamailioSettings {
  readonly modules: string
  readonly workers: number
  readonly port: number
  readonly account: Account
  /** For TLS, the files of the certificate and its key. */
  readonly tls: { readonly certificate: string; readonly key: string } | undefined
}

/**
 * The minimal configuration of a relay: AUTH with one user, sessions in Kamailio's table, and frames only to existing
 * connections. The entry of a session leads to the end that has authenticated, whichever end sends, so the next hop is found
 * by the address in its URI, which the load client sets correctly.
 *
 * With the TLS module loaded, the table takes every address for one of TLS, so there is only one protocol at a time.
 */
const kamailioConfig = ({ account, modules, port, tls, workers }: KamailioSettings): string =>
  `#!KAMAILIO
debug=0
log_stderror=yes
children=1
tcp_children=${workers}
auto_aliases=no
dns=no
rev_dns=no
listen=${tls === undefined ? "tcp" : "tls"}:127.0.0.1:${port}
tcp_accept_no_cl=yes
tcp_connection_lifetime=3600
tcp_max_connections=16384
tcp_rd_buf_size=16384
tcp_conn_wq_max=8388608
tcp_wq_max=134217728
${tls === undefined ? "" : "enable_tls=yes\ntls_max_connections=16384\n"}
mpath="${modules}"
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "auth.so"
${
    tls === undefined ? "" : `loadmodule "tls.so"
modparam("tls", "tls_method", "TLSv1.2+")
modparam("tls", "certificate", "${tls.certificate}")
modparam("tls", "private_key", "${tls.key}")
`
  }loadmodule "msrp.so"
modparam("auth", "qop", "auth")
modparam("auth", "nonce_count", 1)
modparam("msrp", "cmap_size", 12)
modparam("msrp", "use_path_addr", "127.0.0.1:${port}")

request_route { drop; }

event_route[msrp:frame-in] {
  msrp_reply_flags("1");
  if (msrp_is_reply()) exit;
  if ($msrp(method) == "AUTH") {
    if (pv_www_authenticate("bench", "${account.password}", "0", "$msrp(method)")) {
      msrp_cmap_save();
    } else if (auth_get_www_authenticate("bench", "1", "$var(challenge)")) {
      msrp_reply("401", "Unauthorized", "$var(challenge)");
    } else {
      msrp_reply("500", "Server Error");
    }
    exit;
  }
  if (!msrp_cmap_lookup()) {
    msrp_reply("481", "No such session");
    exit;
  }
  if ($msrp(method) == "SEND") msrp_reply("200", "OK");
  msrp_set_dst("$msrp(nexthop)", "$msrp(srcsock)");
  msrp_relay_flags("1");
  msrp_relay();
}
`

const selfSigned = async (directory: string) => {
  const key = join(directory, "key.pem")
  const certificate = join(directory, "certificate.pem")
  const options = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
  await promisify(execFile)("openssl", [...options.split(" "), "-keyout", key, "-out", certificate])
  return { certificate, key }
}

const installed = async (): Promise<string | undefined> => {
  const modules = moduleDirectories.find((directory) => existsSync(join(directory, "msrp.so")))
  if (modules === undefined) return undefined
  return promisify(execFile)("kamailio", ["-v"]).then(() => modules, () => undefined)
}

/** Kamailio, if it is installed with its `msrp` and `tls` modules; `workers` processes read from connections. */
export const kamailio = async (workers: number): Promise<Relay | undefined> => {
  const modules = await installed()
  if (modules === undefined) return undefined
  return {
    name: "kamailio",
    supports: (scenario, transport) =>
      !isWebSocket(transport) && (scenario.kind !== "messages" || scenario.size <= kamailioMaxBody),
    start: async ({ account, processors, transport }) => {
      const directory = await mkdtemp(join(tmpdir(), "msrp-bench-"))
      const removeDirectory = () => rm(directory, { recursive: true, force: true })
      try {
        const [port = 0] = await freePorts(1)
        const tls = transport === "tls" ? await selfSigned(directory) : undefined
        const file = join(directory, "kamailio.cfg")
        await writeFile(file, kamailioConfig({ modules, workers, port, account, tls }))
        const { host, pid, stop } = await startProcess({
          command: "kamailio",
          args: ["-DD", "-E", "-f", file, "-Y", directory, "-m", "2048", "-M", "16"],
          processors,
          port,
          readySeconds: 10
        })
        const uri = `${transport === "tcp" ? "msrp" : "msrps"}://127.0.0.1:${port};tcp`
        return {
          target: { transport, host, port, uri },
          pid,
          stop: () => stop().finally(removeDirectory)
        }
      } catch (error) {
        await removeDirectory()
        throw error
      }
    }
  }
}
