/** Canonical IP addresses: different forms of an address that lead to the same host are made equal. */
import { isIPv4, isIPv6 } from "node:net"
import { networkInterfaces } from "node:os"
import { canonicalHost } from "../protocol/Uri.ts"

/** IPv6 prefixes that embed an IPv4 address: the prefix in octets, and the index of the first octet of the IPv4 address. */
const EMBEDDING: ReadonlyArray<{ readonly prefix: ReadonlyArray<number>; readonly at: number }> = [
  // IPv4-mapped (RFC 4291 §2.5.5.2), -translated (RFC 2765 §2.1), -compatible (RFC 4291 §2.5.5.1).
  { prefix: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff], at: 12 },
  { prefix: [0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0], at: 12 },
  { prefix: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], at: 12 },
  // NAT64 (RFC 6052 §2.1; local-use, RFC 8215, with its longest prefix), 6to4 (RFC 3056 §2).
  { prefix: [0x00, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0], at: 12 },
  { prefix: [0x00, 0x64, 0xff, 0x9b, 0x00, 0x01, 0, 0, 0, 0, 0, 0], at: 12 },
  { prefix: [0x20, 0x02], at: 2 }
]

/** The 16 octets of an IPv6 address in its shortest form. */
const octetsOf = (address: string): ReadonlyArray<number> => {
  const [head = "", tail] = address.split("::")
  const words = (text: string | undefined): Array<number> =>
    text === undefined || text === "" ? [] : text.split(":").map((word) => Number.parseInt(word, 16))
  const [front, back] = [words(head), words(tail)]
  const zeros = Array.from({ length: 8 - front.length - back.length }, () => 0)
  return [...front, ...zeros, ...back].flatMap((word) => [word >> 8, word & 0xff])
}

/**
 * The form of an address for comparing: without a zone; an embedded IPv4 address alone; the unspecified address as loopback,
 * because connecting to it leads there. A text that is not an address is returned unchanged.
 */
export const canonicalAddress = (address: string): string => {
  if (isIPv4(address)) return address === "0.0.0.0" ? "127.0.0.1" : address
  if (!isIPv6(address)) return address
  const plain = canonicalHost(address.replace(/%.*$/s, ""))
  if (plain === "::" || plain === "::1") return "::1"
  const octets = octetsOf(plain)
  const found = EMBEDDING.find(({ prefix }) => prefix.every((octet, i) => octets[i] === octet))
  return found === undefined ? plain : canonicalAddress(octets.slice(found.at, found.at + 4).join("."))
}

/** All current addresses of this machine. */
export const machineAddresses = (): ReadonlyArray<string> =>
  Object.values(networkInterfaces()).flatMap((some) => (some ?? []).map(({ address }) => address))
