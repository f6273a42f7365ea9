/** File descriptors: how many this process may have open, and how many a relay may need. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import { defaultRelayLimits } from "../Relay.ts"
import { ACCEPTORS } from "../transport/Bind.ts"
import type { SettingsShape } from "./Settings.ts"

/** RLIMIT_NOFILE, infinite where it is `unlimited`. Node raises the soft limit to the hard one when it starts. */
export interface DescriptorLimits {
  readonly soft: number
  readonly hard: number
}

/** Where Linux has them. */
const LIMITS = "/proc/self/limits"

/** Those of this process; none where the system does not tell. */
export const descriptorLimits: Effect.Effect<Option.Option<DescriptorLimits>, never, FileSystem.FileSystem> = Effect
  .flatMap(FileSystem.FileSystem, (files) =>
    Effect.map(
      Effect.option(files.readFileString(LIMITS)),
      Option.flatMap((text) => Option.fromNullishOr(parseLimits(text)))
    ))

const parseLimits = (text: string): DescriptorLimits | undefined => {
  const [, soft, hard] = /^Max open files\s+(\d+|unlimited)\s+(\d+|unlimited)\s/m.exec(text) ?? []
  return soft === undefined || hard === undefined ? undefined : { soft: countOf(soft), hard: countOf(hard) }
}

const countOf = (text: string): number => text === "unlimited" ? Infinity : Number(text)

/** As `1024/524288`. */
export const formatLimits = ({ hard, soft }: DescriptorLimits): string =>
  [soft, hard].map((count) => count === Infinity ? "unlimited" : String(count)).join("/")

/** Users who have all the connections in the making that one may have, before they count among the relay's. */
const DIALLING_USERS = 8

/** The log, the event loop, files that are read again, look-ups of names, connections with a database, a scrape of metrics. */
const OTHERS = 200

/** What the settings allow to be open at a time. */
export interface DescriptorNeed {
  readonly connections: number
  readonly handshakes: number
  readonly dials: number
  /** Listening sockets, and everything that is no connection of MSRP. */
  readonly others: number
  readonly total: number
}

export const descriptorNeed = ({ relay: { limits = {}, listen } }: Pick<SettingsShape, "relay">): DescriptorNeed => {
  const { connections, connectionsInProbation, dials } = { ...defaultRelayLimits, ...limits }
  const secure = listen.filter(({ scheme }) => scheme === "msrps").length
  const need = {
    connections,
    handshakes: secure * Math.min(connectionsInProbation, connections),
    dials: DIALLING_USERS * dials,
    others: ACCEPTORS * listen.length + OTHERS
  }
  return { ...need, total: need.connections + need.handshakes + need.dials + need.others }
}

/** What to say when fewer may be open than the settings allow connections. */
export const descriptorWarning = (limits: DescriptorLimits, need: DescriptorNeed): string | undefined =>
  limits.soft >= need.total
    ? undefined
    : `${limits.soft} files may be open at a time, and MSRP_MAX_CONNECTIONS=${need.connections} may need ${need.total}: ` +
      "connections will fail before that many are there. " +
      (limits.hard >= need.total
        ? `Raise the soft limit (ulimit -Sn ${need.total})`
        : `Raise the limit (systemd: LimitNOFILE=${need.total}, a shell: ulimit -n ${need.total})`) +
      ", or lower MSRP_MAX_CONNECTIONS"
