/**
 * What a proxy says of the client that it speaks for (RFC 7239; `X-Forwarded-For` and `X-Forwarded-Proto` before that). It
 * counts only where the proxy is trusted: anybody can send these headers.
 */
import type { IncomingHttpHeaders } from "node:http"
import { isIP } from "node:net"
import { plainAddress } from "../../net/Hosts.ts"

const MAX_PORT = 65_535

/** Entries that are looked at, from the nearest proxy on, and what each may tell: a head may have thousands. */
const MAX_PROXIES = 32
const MAX_PAIRS = 16

export interface Client {
  /** IP address. */
  readonly host: string
  /** Port, 0 where the proxy does not tell. */
  readonly port: number
  /** It speaks TLS to the first proxy. */
  readonly secure: boolean
}

/** An entry of `Forwarded`, or of both others: who connected to a proxy, and how, as far as it says so. */
interface Entry {
  readonly from: { readonly host: string; readonly port: number } | undefined
  readonly secure: boolean | undefined
}

/** `192.0.2.1`, `192.0.2.1:4711`, `[2001:db8::1]:4711`, `2001:db8::1`; nothing for a name that hides who it is. */
const addressOf = (text: string): Entry["from"] => {
  const [, bracketed, port] = /^\[([^\]]+)\](?::(\d{1,5}))?$/.exec(text) ?? /^([^:]+):(\d{1,5})$/.exec(text) ?? []
  const host = bracketed ?? text
  // A zone means something on the proxy's machine only.
  if (isIP(host) === 0 || host.includes("%")) return undefined
  return { host: plainAddress(host), port: Number(port ?? 0) > MAX_PORT ? 0 : Number(port ?? 0) }
}

const one = (value: string | Array<string> | undefined): string => Array.isArray(value) ? value.join(",") : value ?? ""

/** Without its quotes. */
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
  // A proxy that tells of one thing only still tells of it.
  return Array.from({ length: all - first }, (_, n) => {
    const i = first + n
    const proto = protos.at(protos.length === from.length ? i : -1)
    return { from: addressOf(from[i] ?? ""), secure: proto === undefined ? undefined : isSecure(proto) }
  })
}

/**
 * Who is behind the proxies that are trusted: from the nearest on, as long as each is. `peer`: who has connected here.
 * Without a word of a trusted proxy it is the peer itself. Undefined where both kinds of headers are there and say different
 * things: proxies write one kind, and most pass on the other as it comes, so one may be the client's own.
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
    client = { ...(from ?? { host: client.host, port: client.port }), secure: secure ?? client.secure }
    if (from === undefined) break
  }
  return client
}
