import { isIPv4 } from "node:net"
import { networkInterfaces } from "node:os"
import { canonicalHost } from "../protocol/Uri.ts"

/** An address that means every address of the machine: for listening only. */
export const isWildcard = (host: string): boolean => ["0.0.0.0", "::"].includes(canonicalHost(host))

export const isLocalhost = (host: string): boolean => canonicalHost(host) === "localhost"

const MAPPED_LOOPBACK = /^::ffff:7f[0-9a-f]{2}:/

/** Reachable from this machine only. Names are not resolved: of those, `localhost` and what is under it are. */
export const isLoopback = (host: string): boolean => {
  const name = canonicalHost(host)
  return /^(?:.+\.)?localhost\.?$/.test(name) || (isIPv4(name) && name.startsWith("127.")) ||
    name === "::1" || MAPPED_LOOPBACK.test(name)
}

/** `localhost` as addresses to bind: `::1` only where this machine has it. */
export const loopbackAddresses = (): ReadonlyArray<string> => {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? [])
  return all.some(({ address }) => address === "::1") ? ["127.0.0.1", "::1"] : ["127.0.0.1"]
}
