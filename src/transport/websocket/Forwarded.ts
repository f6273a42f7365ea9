/**
 * The client's address by the headers of proxies: `Forwarded` (RFC 7239), or `X-Forwarded-For` and `X-Forwarded-Proto`. They count
 * only if the proxy is trusted, because any client can send them.
 */
import type { IncomingHttpHeaders } from "node:http"
import { isIP } from "node:net"
import { plainAddress } from "../../net/Hosts.ts"

const MAX_PORT = 65_535

/** The most entries that are read, the last ones: a head may have thousands. */
const MAX_PROXIES = 32
/** The most pairs of an entry that are read. */
const MAX_PAIRS = 16

export interface Client {
  /** The IP address. */
  readonly host: string
  /** The port; 0 if the proxy does not give it. */
  readonly port: number
  /** Whether the client speaks TLS, to this listener or to its proxy. */
  readonly secure: boolean
  /** Whether the address is that of a proxy that has not told the client's. */
  readonly hidden?: boolean | undefined
}

/** An entry of `Forwarded`, or of both other headers: the address that connected to a proxy, and whether by TLS, if given. */
interface Entry {
  readonly from: { readonly host: string; readonly port: number } | undefined
  readonly secure: boolean | undefined
}

/** Reads `192.0.2.1`, `192.0.2.1:4711`, `[2001:db8::1]:4711` or `2001:db8::1`; undefined for `unknown` and other names. */
const addressOf = (text: string): Entry["from"] => {
  const [, bracketed, port] = /^\[([^\]]+)\](?::(\d{1,5}))?$/.exec(text) ?? /^([^:]+):(\d{1,5})$/.exec(text) ?? []
  const host = bracketed ?? text
  // A zone has a meaning on the proxy's machine only.
  if (isIP(host) === 0 || host.includes("%")) return undefined
  return { host: plainAddress(host), port: Number(port ?? 0) > MAX_PORT ? 0 : Number(port ?? 0) }
}

const one = (value: string | Array<string> | undefined): string => Array.isArray(value) ? value.join(",") : value ?? ""

/** Removes quotes and escapes. */
const plain = (value: string): string => value.replace(/^"(.*)"$/s, "$1").replaceAll(/\\(.)/gs, "$1")

const forwarded = (value: string): ReadonlyArray<Entry> =>
  value.split(",").slice(-MAX_PROXIES).map((element) => {
    const pairs = new Map(
      element.split(";", MAX_PAIRS).map((pair) => {
        const [name = "", ...rest] = pair.split("=")
        return [name.trim().toLowerCase(), plain(rest.join("=").trim())] as const
      })
    )
    const proto = pairs.get("proto")
    return {
      from: addressOf(pairs.get("for") ?? ""),
      secure: proto === undefined ? undefined : isSecure(proto)
    }
  })

const isSecure = (proto: string): boolean => /^(?:https|wss)$/i.test(proto)

const xForwarded = (headers: IncomingHttpHeaders): ReadonlyArray<Entry> => {
  const from = one(headers["x-forwarded-for"]).split(",").map((text) => text.trim()).filter((text) => text !== "")
  const protos = one(headers["x-forwarded-proto"]).split(",").map((text) => text.trim()).filter((text) => text !== "")
  const all = Math.max(from.length, protos.length)
  const first = Math.max(0, all - MAX_PROXIES)
  // A proxy may send only one of the two headers.
  return Array.from({ length: all - first }, (_, n) => {
    const i = first + n
    const proto = protos.at(protos.length === from.length ? i : -1)
    return { from: addressOf(from[i] ?? ""), secure: proto === undefined ? undefined : isSecure(proto) }
  })
}

/**
 * The client behind the trusted proxies: entries are followed from the nearest proxy on, as long as each address is trusted.
 * `peer`: the connection itself, which is the result without such an entry. Undefined if both kinds of headers are present and
 * contradict each other: proxies write one kind, and most pass on the other, which may be forged by the client.
 */
export const clientOf = (
  headers: IncomingHttpHeaders,
  peer: Client,
  trusts: (address: string) => boolean
): Client | undefined => {
  if (!trusts(peer.host)) return peer
  const standard = one(headers["forwarded"])
  const others = xForwarded(headers)
  const byOthers = behind(others, peer, trusts)
  if (standard === "") return byOthers
  const client = behind(forwarded(standard), peer, trusts)
  if (others.length === 0) return client
  return client.host === byOthers.host && client.secure === byOthers.secure ? client : undefined
}

const behind = (entries: ReadonlyArray<Entry>, peer: Client, trusts: (address: string) => boolean): Client => {
  let client = peer
  for (const { from, secure } of entries.toReversed()) {
    if (!trusts(client.host)) break
    const { host, port } = from ?? client
    client = { host, port, secure: secure ?? client.secure, hidden: from === undefined }
    if (from === undefined) break
  }
  return client
}
