/**
 * Processor time and memory of a process and its descendants, from `/proc` on Linux and from `ps` elsewhere, and the processors
 * that they run on.
 */
import { execFileSync } from "node:child_process"
import { readdirSync, readFileSync } from "node:fs"

export interface Usage {
  /** The memory in use, in octets: the sum of PSS on Linux, in which shared pages count once, otherwise the sum of RSS. */
  readonly memory: number
  /** The sum of the largest resident sizes of the processes so far (`VmHWM`), in octets; `undefined` where only `ps` exists. */
  readonly peak: number | undefined
}

const hasProc = process.platform === "linux"

/** `_SC_CLK_TCK`: the unit of times in `/proc/PID/stat` as shown to programs, 100 on every Linux architecture Node runs on. */
const ticksPerSecond = 100

const readText = (file: string): string | undefined => {
  try {
    return readFileSync(file, "latin1")
  } catch {
    return undefined // the process is gone
  }
}

/** The fields of `/proc/PID/stat` from the third one (state) on; the second, in brackets, may hold blanks. */
const statFields = (pid: number): Array<string> | undefined => {
  const text = readText(`/proc/${pid}/stat`)
  return text?.slice(text.lastIndexOf(")") + 2).split(" ")
}

const kilobytes = (text: string | undefined, name: string): number => {
  const found = text === undefined ? null : new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(text)
  return found === null ? 0 : Number(found[1]) * 1024
}

const ps = (...args: Array<string>): Array<Array<string>> =>
  execFileSync("ps", args, { encoding: "latin1" }).split("\n").filter((line) => line.trim() !== "").map((line) =>
    line.trim().split(/\s+/)
  )

/** `[[days-]hours:]minutes:seconds[.fraction]` in seconds. */
const parseCpuTime = (text: string): number => {
  const [clock = "0", days = "0"] = text.split("-").toReversed()
  return Number(days) * 86_400 + clock.split(":").reduce((sum, part) => sum * 60 + Number(part), 0)
}

const parents = (): ReadonlyMap<number, number> =>
  hasProc
    ? new Map(
      readdirSync("/proc").filter((name) => /^\d+$/.test(name)).map((name) => [
        Number(name),
        Number(statFields(Number(name))?.[1] ?? 0)
      ])
    )
    : new Map(ps("-A", "-o", "pid=,ppid=").map(([pid, parent]) => [Number(pid), Number(parent)]))

/** A process and all its descendants. */
export const processTree = (root: number): Array<number> => {
  const tree = [root]
  const known = parents()
  for (const parent of tree) {
    for (const [pid, of] of known) {
      if (of === parent) tree.push(pid)
    }
  }
  return tree
}

const cpuFromProc = (pids: ReadonlyArray<number>): number => {
  let ticks = 0
  for (const pid of pids) {
    const fields = statFields(pid)
    if (fields !== undefined) ticks += Number(fields[11]) + Number(fields[12])
  }
  return ticks / ticksPerSecond
}

const usageFromProc = (pids: ReadonlyArray<number>): Usage => {
  let memory = 0
  let peak = 0
  for (const pid of pids) {
    const status = readText(`/proc/${pid}/status`)
    peak += kilobytes(status, "VmHWM")
    memory += kilobytes(readText(`/proc/${pid}/smaps_rollup`), "Pss") || kilobytes(status, "VmRSS")
  }
  return { memory, peak }
}

const usageFromPs = (pids: ReadonlyArray<number>): Usage => {
  const sizes = ps("-o", "rss=", "-p", pids.join(",")).map(([rss]) => Number(rss) * 1024)
  return { memory: sizes.reduce((sum, size) => sum + size, 0), peak: undefined }
}

/** Memory of the processes; those that have ended are left out. */
export const usage = (pids: ReadonlyArray<number>): Usage => {
  if (pids.length === 0) return { memory: 0, peak: 0 }
  return hasProc ? usageFromProc(pids) : usageFromPs(pids)
}

/** User and system time of all the processes since they started, in seconds. */
export const cpuSeconds = (pids: ReadonlyArray<number>): number => {
  if (hasProc || pids.length === 0) return cpuFromProc(pids)
  return ps("-o", "time=", "-p", pids.join(",")).reduce((sum, [time]) => sum + parseCpuTime(time ?? "0"), 0)
}

/**
 * Seconds for which the main threads of the processes were ready to run while others had the processor; 0 where this is
 * unknown.
 */
export const waitSeconds = (pids: ReadonlyArray<number>): number =>
  pids.reduce((sum, pid) => sum + Number(readText(`/proc/${pid}/schedstat`)?.split(" ")[1] ?? 0) / 1e9, 0)

/** The largest number of files, connections included, that one of the processes has open. Linux only. */
export const openFiles = (pids: ReadonlyArray<number>): number =>
  Math.max(...pids.map((pid) => {
    try {
      return readdirSync(`/proc/${pid}/fd`).length
    } catch {
      return 0 // the process is gone
    }
  }))

/** Lists of processors as `taskset` takes them. */
export interface Processors {
  readonly relay: string
  readonly client: string
}

/**
 * Separate processors for the relay and for the client; `undefined` where they cannot be set. The scheduler often puts two
 * processes that wake each other on one processor, which makes measurements vary.
 */
export const apartProcessors = (): Processors | undefined => {
  const allowed = /^Cpus_allowed_list:\s+(\S+)/m.exec(readText("/proc/self/status") ?? "")?.[1] ?? ""
  const processors = allowed.split(",").flatMap((range) => {
    const [first = 0, last = first] = range.split("-").map(Number)
    return Array.from({ length: last - first + 1 }, (_, i) => first + i)
  })
  if (processors.length < 2) return undefined
  try {
    execFileSync("taskset", ["-V"], { stdio: "ignore" })
  } catch {
    return undefined
  }
  return { relay: processors.slice(0, -1).join(","), client: String(processors.at(-1)) }
}

/** The command that starts `command` on the given processors; `undefined`: on any. */
export const onProcessors = (processors: string | undefined, command: ReadonlyArray<string>): Array<string> =>
  processors === undefined ? [...command] : ["taskset", "-c", processors, ...command]

/** CPU time this process has used so far, in seconds. */
export const ownCpu = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}
