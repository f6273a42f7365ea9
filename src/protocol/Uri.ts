/**
 * MSRP URIs (RFC 4975 §6, §6.1, §9; RFC 4976 §8).
 *
 * A generic URI parser reads these incorrectly: `;` is allowed in an RFC 3986 host, but here it ends the authority. The parts are
 * separated first, at delimiters that they cannot contain, and then checked one by one, so the work is linear in the length of the
 * text.
 */
import { isIPv4, isIPv6 } from "../platform/Node.ts"
import { ownText } from "./Octets.ts"

/**
 * Octets of one URI at most. Use-Path URIs that contain sealed state have a few hundred, all others under a hundred.
 *
 * @category constants
 * @since 0.1.0
 */
export const MAX_URI_OCTETS = 2048

/**
 * Octets of a host at most, as written (RFC 3986 §3.2.2: what DNS can hold).
 *
 * @category constants
 * @since 0.1.0
 */
export const MAX_HOST_OCTETS = 255

/**
 * The port that is recommended for relays, used when neither the URI nor a DNS record names one (RFC 4976 §8).
 *
 * @category constants
 * @since 0.2.0
 */
export const DEFAULT_PORT = 2855

/**
 * A parsed MSRP URI (RFC 4975 §6).
 *
 * @category models
 * @since 0.1.0
 */
export interface MsrpUri {
  /** As received. A URI that is forwarded is copied from here, never printed again (RFC 4976 §6.4.1). */
  readonly text: string
  readonly scheme: "msrp" | "msrps"
  /** Without the `@`, still percent-encoded. */
  readonly userinfo: string | undefined
  /** As written; an IPv6 address without its brackets. */
  readonly host: string
  /** `undefined` when not written: MSRP has no default port (RFC 4975 §6). */
  readonly port: number | undefined
  /** Identifies a session, and is a secret. `undefined`: the URI names the host device itself. */
  readonly sessionId: string | undefined
  /** As written: `tcp`, `ws`, `dc`, ... */
  readonly transport: string
  /** What follows the transport: empty or `;a=b;c`. */
  readonly parameters: string
}

/**
 * The parts of a URI for `formatUri`.
 *
 * @category models
 * @since 0.1.0
 */
export interface UriParts {
  readonly scheme: "msrp" | "msrps"
  readonly userinfo?: string | undefined
  readonly host: string
  readonly port?: number | undefined
  readonly sessionId?: string | undefined
  /** `tcp` when absent. */
  readonly transport?: string | undefined
  /** Empty or `;a=b;c`. */
  readonly parameters?: string | undefined
}

const SCHEME = /^msrps?:\/\//i
// RFC 3986 §3.2.1. A bare "@" is not in it, but the rule "the last one ends the userinfo" leaves no doubt about the host.
const USERINFO = /^(?:[A-Za-z0-9\-._~!$&'()*+,;=:@]|%[0-9A-Fa-f]{2})*$/
// RFC 3986 §3.2.2 reg-name, without the ";" that ends an MSRP authority.
const REG_NAME = /^(?:[A-Za-z0-9\-._~!$&'()*+,=]|%[0-9A-Fa-f]{2})+$/
const IPV6_CHARACTERS = /^[0-9A-Fa-f:.]+$/
const DIGITS = /^[0-9]*$/
const SESSION_ID = /^[A-Za-z0-9\-._~+=/]+$/
const TRANSPORT = /^[A-Za-z0-9]+$/
// RFC 4975 §9: URI-parameter = token ["=" token]
const PARAMETERS = /^(?:;[!#-'*+\-.0-9A-Z^-~]+(?:=[!#-'*+\-.0-9A-Z^-~]+)?)*$/

/**
 * Reads one URI. `undefined` when it is malformed: no transport, an empty session-id, an IP address without a port, an
 * IPv6 address without brackets, longer than `MAX_URI_OCTETS` or `MAX_HOST_OCTETS`, and so on.
 *
 * A host name without a port is accepted: whether it is allowed depends on its use, not on syntax (RFC 4976 §8).
 *
 * @category decoding
 * @since 0.1.0
 */
export const parseUri = (text: string): MsrpUri | undefined => {
  if (text.length > MAX_URI_OCTETS || !SCHEME.test(text)) return undefined
  const scheme = text.charAt(4) === ":" ? "msrp" : "msrps"
  const start = scheme.length + 3

  // The last "@" before the first "/" ends the userinfo, which may hold ";" and ":".
  const slash = indexOrEnd(text, "/", start)
  const at = text.lastIndexOf("@", slash)
  const hostStart = at < start ? start : at + 1
  const userinfo = at < start ? undefined : text.slice(start, at)
  const authorityEnd = Math.min(slash, indexOrEnd(text, ";", hostStart))
  if (userinfo !== undefined && !USERINFO.test(userinfo)) return undefined

  const bracketed = text.charAt(hostStart) === "["
  const hostEnd = bracketed ? indexOrEnd(text, "]", hostStart) + 1 : indexOrEnd(text, ":", hostStart)
  const host = bracketed
    ? text.slice(hostStart + 1, hostEnd - 1)
    : text.slice(hostStart, Math.min(hostEnd, authorityEnd))
  if (host.length > MAX_HOST_OCTETS) return undefined
  if (bracketed ? !isIPv6Literal(host) : !REG_NAME.test(host)) return undefined

  let port: number | undefined
  if (hostEnd < authorityEnd) {
    const digits = text.slice(hostEnd + 1, authorityEnd)
    if (text.charAt(hostEnd) !== ":" || !DIGITS.test(digits)) return undefined
    // "host:" is legal, and says the same as "host" (RFC 3986 §3.2.3).
    if (digits !== "") port = Number(digits)
    if (port !== undefined && port > 65_535) return undefined
  }
  if (port === undefined && (bracketed || isIPv4(decodeUnreserved(host)))) return undefined

  const pathEnd = indexOrEnd(text, ";", authorityEnd)
  const sessionId = slash === authorityEnd && slash < text.length ? text.slice(slash + 1, pathEnd) : undefined
  if (sessionId !== undefined && !SESSION_ID.test(sessionId)) return undefined

  const transportEnd = indexOrEnd(text, ";", pathEnd + 1)
  const transport = text.slice(pathEnd + 1, transportEnd)
  const parameters = text.slice(transportEnd)
  if (!TRANSPORT.test(transport) || !PARAMETERS.test(parameters)) return undefined

  return { text, scheme, userinfo, host, port, sessionId, transport, parameters }
}

const indexOrEnd = (text: string, wanted: string, from: number): number => {
  const index = text.indexOf(wanted, from)
  return index === -1 ? text.length : index
}

/** Whether it is an address of RFC 3986: `isIPv6` alone accepts a zone, too. */
const isIPv6Literal = (host: string): boolean => IPV6_CHARACTERS.test(host) && isIPv6(host)

/**
 * Reads the value of a To-Path, From-Path or Use-Path: one or more URIs with one blank between them (RFC 4975 §9). More
 * blanks, also at the ends, are tolerated. `undefined` when a URI is malformed, or there is none, or more than `maxUris`.
 * A URI that is kept does not keep the others in memory.
 *
 * @category decoding
 * @since 0.1.0
 */
export const parsePath = (text: string, maxUris: number): ReadonlyArray<MsrpUri> | undefined => {
  const uris: Array<MsrpUri> = []
  for (let at = 0; at < text.length;) {
    const end = indexOrEnd(text, " ", at)
    if (end > at) {
      if (uris.length === maxUris) return undefined
      const uri = parseUri(ownText(text.slice(at, end)))
      if (uri === undefined) return undefined
      uris.push(uri)
    }
    at = end + 1
  }
  return uris.length === 0 ? undefined : uris
}

/**
 * Prints a URI. The parts are taken as they are, with two exceptions: an IPv6 address gets its brackets, and a password
 * in the userinfo is left out, because it must not be in an MSRP URI (RFC 4975 §6).
 *
 * @category encoding
 * @since 0.1.0
 */
export const formatUri = (parts: UriParts): string => {
  const user = parts.userinfo === undefined ? "" : `${parts.userinfo.replace(/:.*/s, "")}@`
  const port = parts.port === undefined ? "" : `:${parts.port}`
  const session = parts.sessionId === undefined ? "" : `/${parts.sessionId}`
  return `${parts.scheme}://${user}${inBrackets(parts.host)}${port}${session};${parts.transport ?? "tcp"}${
    parts.parameters ?? ""
  }`
}

/**
 * Whether both name the same session, or the same host device (RFC 4975 §6.1). Userinfo and parameters other than the
 * transport do not matter. Nothing is resolved: a name never equals an address.
 *
 * @category predicates
 * @since 0.1.0
 */
export const sameUri = (a: MsrpUri, b: MsrpUri): boolean =>
  a.text === b.text || (
    a.scheme === b.scheme &&
    a.sessionId === b.sessionId &&
    a.port === b.port &&
    a.transport.toLowerCase() === b.transport.toLowerCase() &&
    canonicalHost(a.host) === canonicalHost(b.host)
  )

/**
 * `host:port` in one spelling, `host:` without a port: two keys are equal exactly when the authorities are (RFC 4975
 * §6.1 rules 2 and 3). An IPv6 address is in brackets.
 *
 * @category getters
 * @since 0.1.0
 */
export const authorityKey = (uri: MsrpUri): string => `${inBrackets(canonicalHost(uri.host))}:${uri.port ?? ""}`

/**
 * The target of a URI, without session-id: `msrps://host:port`.
 *
 * @category getters
 * @since 0.2.0
 */
export const targetOf = ({ host, port, scheme }: Pick<MsrpUri, "host" | "port" | "scheme">): string =>
  `${scheme}://${inBrackets(host)}${port === undefined ? "" : `:${port}`}`

/** A host as it is written in a URI (RFC 3986 §3.2.2). */
const inBrackets = (host: string): string => host.includes(":") ? `[${host}]` : host

/**
 * A host in its canonical spelling for comparison (RFC 4975 §6.1 rule 2): lower case, percent-encoded unreserved characters
 * decoded, an IPv6 address in its shortest form and without brackets. An IPv4 address mapped into IPv6 stays an IPv6
 * address.
 *
 * @category getters
 * @since 0.1.0
 */
export const canonicalHost = (host: string): string => {
  if (!host.includes(":")) return decodeUnreserved(host).toLowerCase()
  return URL.parse(`msrp://[${host}]`)?.hostname.slice(1, -1) ?? host.toLowerCase()
}

const UNRESERVED = /[A-Za-z0-9\-._~]/

/** Decodes unreserved characters (RFC 3986 §6.2.2.2). In one pass: the result is not decoded again. */
const decodeUnreserved = (host: string): string =>
  host.includes("%")
    ? host.replace(/%[0-9A-Fa-f]{2}/g, (encoded) => {
      const character = String.fromCharCode(parseInt(encoded.slice(1), 16))
      return UNRESERVED.test(character) ? character : encoded
    })
    : host
