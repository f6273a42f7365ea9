/** What a host stands for, given as a name or an address (IPv6 without brackets). Nothing is resolved. */
import { isIPv4 } from "node:net"
import { networkInterfaces } from "node:os"
import { canonicalHost } from "../protocol/Uri.ts"

const WILDCARDS = new Set(["*", "0.0.0.0", "::"])

/** It means every address of the machine: for listening only. */
export const isWildcard = (host: string): boolean => WILDCARDS.has(canonicalHost(host))

export const isLocalhost = (host: string): boolean => canonicalHost(host) === "localhost"

const MAPPED = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/

/** An IP address as everywhere: canonical, and an IPv4 address that stands in an IPv6 one (RFC 4291 §2.5.5.2) as such. */
export const plainAddress = (address: string): string => {
  const canonical = canonicalHost(address)
  const [, high, low] = MAPPED.exec(canonical) ?? []
  if (high === undefined || low === undefined) return canonical
  const [a, b] = [Number.parseInt(high, 16), Number.parseInt(low, 16)]
  return [a >> 8, a & 0xFF, b >> 8, b & 0xFF].join(".")
}

/** Reachable from this machine only; of names, `localhost` and what is under it are (RFC 6761 §6.3). */
export const isLoopback = (host: string): boolean => {
  const name = plainAddress(host)
  return /^(?:.+\.)?localhost\.?$/.test(name) || (isIPv4(name) && name.startsWith("127.")) || name === "::1"
}

/** `localhost` as addresses to bind: `::1` only where this machine has it. */
export const loopbackAddresses = (): ReadonlyArray<string> => {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? [])
  return all.some(({ address }) => address === "::1") ? ["127.0.0.1", "::1"] : ["127.0.0.1"]
}
