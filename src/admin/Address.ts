/** The address of the admin API: a host and a port, or the path of a Unix socket. */
import { isIPv6 } from "node:net"
import { isWildcard } from "../net/Hosts.ts"
import { canonicalHost } from "../protocol/Uri.ts"
import { addressText } from "../transport/Connection.ts"

/**
 * The address that the admin API listens on.
 *
 * @category models
 * @since 0.2.0
 */
export type AdminAddress =
  /** `host` is a name or an address; an IPv6 address has no brackets. */
  | { readonly _tag: "Tcp"; readonly host: string; readonly port: number }
  /** `path` is absolute. */
  | { readonly _tag: "Unix"; readonly path: string }

/** Maximum number of octets in the path of a Unix socket on all systems (`sun_path` without its terminator). */
export const MAX_SOCKET_PATH = 103

const TCP = /^(?:\[([^\]]+)\]|([^\s:[\]/@]+)):(\d{1,5})$/

/**
 * Parses `127.0.0.1:2858`, `[::1]:2858`, `host:2857` or `/run/msrp-relay/admin.sock`; `undefined` for anything else.
 *
 * @category decoding
 * @since 0.2.0
 */
export const parseAdminAddress = (text: string): AdminAddress | undefined => {
  if (text.startsWith("/")) {
    return Buffer.byteLength(text) <= MAX_SOCKET_PATH && !/\p{Cc}|\/$/u.test(text)
      ? { _tag: "Unix", path: text }
      : undefined
  }
  const [, bracketed, plain, digits] = TCP.exec(text) ?? []
  const port = Number(digits)
  const host = bracketed ?? plain
  if (host === undefined || port === 0 || port > 65_535) return undefined
  return bracketed !== undefined && !isIPv6(bracketed) ? undefined : { _tag: "Tcp", host, port }
}

/**
 * Formats an address as it is written in a setting.
 *
 * @category encoding
 * @since 0.2.0
 */
export const formatAdminAddress = (address: AdminAddress): string =>
  address._tag === "Unix" ? address.path : addressText(address)

/**
 * The URL of the API from this machine. One that listens on all addresses is reached by loopback.
 *
 * @category encoding
 * @since 0.2.0
 */
export const adminUrl = (address: AdminAddress): string => {
  if (address._tag === "Unix") return "http://localhost"
  const host = isWildcard(address.host) ? canonicalHost(address.host) === "::" ? "::1" : "127.0.0.1" : address.host
  return `http://${addressText({ host, port: address.port })}`
}
