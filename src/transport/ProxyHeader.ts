/**
 * Parser for the header of the PROXY protocol (HAProxy's specification, versions 1 and 2), in which a proxy gives the address
 * of its client, and whether the client speaks TLS to it.
 */
import { isIPv4, isIPv6 } from "node:net"
import { plainAddress } from "../net/Hosts.ts"

/** Octets of the longest line of version 1, with its CRLF. */
const MAX_LINE = 107
/** The most octets of a header of version 2 that are read, including its TLVs. */
export const MAX_PROXY_HEADER = 4096

const SIGNATURE = Buffer.from("\r\n\r\n\0\r\nQUIT\n", "latin1")
const PREFIX = Buffer.from("PROXY ", "latin1")

/** Octets of a version 2 header before the addresses. */
const FIXED = 16

const INET = 1
const INET6 = 2

/** The type of the TLV about TLS, and its flag for a client that speaks TLS. */
const TLV_SSL = 0x20
const CLIENT_SSL = 1

interface ProxiedClient {
  readonly host: string
  readonly port: number
  /** Whether it speaks TLS to the proxy, which only version 2 can say. */
  readonly secure: boolean
}

export type ProxyReading =
  /** More octets are needed. */
  | { readonly _tag: "More" }
  /** There is no header, or a malformed one. */
  | { readonly _tag: "Bad" }
  /** `octets`: the length of the header. `client` is undefined if the proxy connects for itself (health checks), or does not say. */
  | { readonly _tag: "Header"; readonly octets: number; readonly client: ProxiedClient | undefined }

const MORE: ProxyReading = { _tag: "More" }
const BAD: ProxyReading = { _tag: "Bad" }

const begins = (octets: Buffer, with_: Buffer): boolean => {
  const length = Math.min(octets.length, with_.length)
  return octets.compare(with_, 0, length, 0, length) === 0
}

/** Whether these octets begin with enough of a header to tell it from any other protocol. */
export const beginsProxyHeader = (octets: Buffer): boolean =>
  (octets.length >= SIGNATURE.length && begins(octets, SIGNATURE)) ||
  (octets.length >= PREFIX.length && begins(octets, PREFIX))

/** Reads the header at the beginning of these octets. */
export const readProxyHeader = (octets: Buffer): ProxyReading => {
  if (begins(octets, SIGNATURE)) return octets.length < FIXED ? MORE : binary(octets)
  return begins(octets, PREFIX) ? line(octets) : BAD
}

const line = (octets: Buffer): ProxyReading => {
  const end = octets.indexOf("\r\n", 0, "latin1")
  if (end === -1 || end + 2 > MAX_LINE) return octets.length < MAX_LINE && end === -1 ? MORE : BAD
  const [, family, from, to, fromPort, toPort, ...rest] = octets.toString("latin1", 0, end).split(" ")
  const header = (client: ProxiedClient | undefined): ProxyReading => ({ _tag: "Header", octets: end + 2, client })
  if (family === "UNKNOWN") return header(undefined)
  const isAddress = family === "TCP4" ? isIPv4 : family === "TCP6" ? isPlainIPv6 : () => false
  const port = portOf(fromPort)
  if (rest.length > 0 || !isAddress(from ?? "") || !isAddress(to ?? "") || port === -1 || portOf(toPort) === -1) {
    return BAD
  }
  return header({ host: plainAddress(from!), port, secure: false })
}

const portOf = (text: string | undefined): number => {
  const port = /^(?:0|[1-9]\d{0,4})$/.test(text ?? "") ? Number(text) : -1
  return port <= 65_535 ? port : -1
}

const binary = (octets: Buffer): ProxyReading => {
  const command = octets[12]!
  const family = octets[13]! >> 4
  const end = FIXED + octets.readUInt16BE(14)
  if (command >> 4 !== 2 || (command & 0x0F) > 1 || end > MAX_PROXY_HEADER) return BAD
  if (octets.length < end) return MORE
  const header = (client: ProxiedClient | undefined): ProxyReading => ({ _tag: "Header", octets: end, client })
  // The command LOCAL: the proxy connects for itself.
  if ((command & 0x0F) === 0) return header(undefined)
  const size = family === INET ? 12 : family === INET6 ? 36 : undefined
  if (size === undefined) return header(undefined)
  if (FIXED + size > end) return BAD
  const secure = isSecure(octets.subarray(FIXED + size, end))
  if (secure === undefined) return BAD
  return header(
    family === INET
      ? { host: octets.subarray(FIXED, FIXED + 4).join("."), port: octets.readUInt16BE(FIXED + 8), secure }
      : { host: ipv6(octets.subarray(FIXED, FIXED + 16)), port: octets.readUInt16BE(FIXED + 32), secure }
  )
}

/** Whether the client speaks TLS; undefined if the TLVs are malformed. */
const isSecure = (octets: Buffer): boolean | undefined => {
  let secure = false
  let at = 0
  while (at < octets.length) {
    if (at + 3 > octets.length) return undefined
    const length = octets.readUInt16BE(at + 1)
    if (at + 3 + length > octets.length) return undefined
    if (octets[at] === TLV_SSL && length > 0) secure = (octets[at + 3]! & CLIENT_SSL) !== 0
    at += 3 + length
  }
  return secure
}

const ipv6 = (octets: Buffer): string =>
  plainAddress(Array.from({ length: 8 }, (_, i) => octets.readUInt16BE(2 * i).toString(16)).join(":"))

/** An IPv6 address without a zone, which has a meaning on the proxy's machine only. */
const isPlainIPv6 = (text: string): boolean => isIPv6(text) && !text.includes("%")
