/** File descriptors: how many this process may open, and how many the relay may need. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import { type DescriptorLimits, limitsIn } from "../net/OpenFiles.ts"
import { defined } from "../options/Defined.ts"
import { defaultRelayLimits } from "../Relay.ts"
import { ACCEPTORS } from "../transport/Bind.ts"
import type { SettingsShape } from "./Settings.ts"

/** The limits of this process on Linux. */
const LIMITS = "/proc/self/limits"

/** The limits of this process; none on systems without /proc. */
export const descriptorLimits: Effect.Effect<Option.Option<DescriptorLimits>, never, FileSystem.FileSystem> = Effect
  .flatMap(FileSystem.FileSystem, (files) =>
    Effect.map(
      Effect.option(files.readFileString(LIMITS)),
      Option.flatMap((text) => Option.fromUndefinedOr(limitsIn(text)))
    ))

/** Formats limits as `soft/hard`, for example `1024/524288`. */
export const formatLimits = ({ hard, soft }: DescriptorLimits): string =>
  [soft, hard].map((count) => count === Infinity ? "unlimited" : String(count)).join("/")

/**
 * Users that may reach their limit of dials in progress at the same time; those connections do not yet count among
 * the relay's.
 */
const DIALLING_USERS = 8

/** Descriptors for the log, the event loop, files, name lookups, database connections and requests for metrics. */
const OTHERS = 200

/** Descriptors that the settings allow to be open at a time. */
interface DescriptorNeed {
  readonly connections: number
  readonly handshakes: number
  readonly dials: number
  /** Listening sockets, and everything other than MSRP connections. */
  readonly others: number
  readonly total: number
}

export const descriptorNeed = ({ relay: { limits = {}, listen } }: Pick<SettingsShape, "relay">): DescriptorNeed => {
  const { connections, connectionsInProbation, dials } = { ...defaultRelayLimits, ...defined(limits) }
  const secure = listen.filter(({ scheme }) => scheme === "msrps").length
  const need = {
    connections,
    handshakes: secure * Math.min(connectionsInProbation, connections),
    dials: DIALLING_USERS * dials,
    others: ACCEPTORS * listen.length + OTHERS
  }
  return { ...need, total: need.connections + need.handshakes + need.dials + need.others }
}

/** A warning if the process may open fewer descriptors than the settings allow connections. */
export const descriptorWarning = (limits: DescriptorLimits, need: DescriptorNeed): string | undefined =>
  limits.soft >= need.total
    ? undefined
    : `${limits.soft} files may be open at a time, and MSRP_MAX_CONNECTIONS=${need.connections} may need ${need.total}: ` +
      "connections will fail before that many are there. " +
      (limits.hard >= need.total
        ? `Raise the soft limit (ulimit -Sn ${need.total})`
        : `Raise the limit (systemd: LimitNOFILE=${need.total}, a shell: ulimit -n ${need.total})`) +
      ", or lower MSRP_MAX_CONNECTIONS"
