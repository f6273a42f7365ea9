/** The forms of hosts, names or addresses (IPv6 without brackets), and what they stand for. Nothing is resolved. */
import { isIPv4 } from "node:net"
import { networkInterfaces } from "node:os"
import { canonicalHost } from "../protocol/Uri.ts"

/** Removes the dot of the DNS root: a name is the same with and without it (RFC 1034 §3.1). */
export const withoutRootDot = (name: string): string => name.replace(/\.$/, "")

/** The host of `host:port` or `[host]:port`, as in a `Host` header, which may lack the port (RFC 9110 §7.2). */
export const hostOf = (authority: string): string => authority.replace(/:\d*$/, "").replace(/^\[(.*)\]$/, "$1")

/** A host in the one form for comparing names: that of `canonicalHost`, without the dot of the root. */
export const hostName = (host: string): string => withoutRootDot(canonicalHost(host))

/** Whether a text is a host name, or a domain behind `*.` for the names under it. */
export const isHostPattern = (text: string): boolean => /^(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?$/i.test(text)

const WILDCARDS = new Set(["*", "0.0.0.0", "::"])

/** Whether a host stands for every address of the machine, which is useful for listening only. */
export const isWildcard = (host: string): boolean => WILDCARDS.has(canonicalHost(host))

export const isLocalhost = (host: string): boolean => canonicalHost(host) === "localhost"

const MAPPED = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/

/** The canonical form of an IP address; IPv4-mapped IPv6 addresses (RFC 4291 §2.5.5.2) become IPv4 addresses. */
export const plainAddress = (address: string): string => {
  const canonical = canonicalHost(address)
  const [, high, low] = MAPPED.exec(canonical) ?? []
  if (high === undefined || low === undefined) return canonical
  const [a, b] = [Number.parseInt(high, 16), Number.parseInt(low, 16)]
  return [a >> 8, a & 0xFF, b >> 8, b & 0xFF].join(".")
}

/** Whether a host is reachable from this machine only; of names, `localhost` and those under it (RFC 6761 §6.3). */
export const isLoopback = (host: string): boolean => {
  const name = plainAddress(host)
  return /^(?:.+\.)?localhost\.?$/.test(name) || (isIPv4(name) && name.startsWith("127.")) || name === "::1"
}

/** The addresses to bind for `localhost`: `::1` only where this machine has it. */
export const loopbackAddresses = (): ReadonlyArray<string> => {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? [])
  return all.some(({ address }) => address === "::1") ? ["127.0.0.1", "::1"] : ["127.0.0.1"]
}
