/** The relay that a probe tries out, and the addresses it connects to. */
import * as Option from "effect/Option"
import { DEFAULT_PORT, type MsrpUri, parseUri } from "../../protocol/Uri.ts"

export interface Address {
  readonly scheme: "msrp" | "msrps"
  readonly transport: "tcp" | "ws"
  readonly host: string
  readonly port: number
  /** HTTP path; only with `ws`. */
  readonly path?: string | undefined
}

/** The address of a URI. `path` is the HTTP path of a WebSocket, which an MSRP URI does not contain. */
export const addressOf = (
  { host, port = DEFAULT_PORT, scheme, transport }: MsrpUri,
  path: string | undefined
): Address =>
  transport.toLowerCase() === "ws"
    ? { scheme, transport: "ws", host, port, path: path ?? "/" }
    : { scheme, transport: "tcp", host, port }

/** A relay, and the HTTP path of its WebSocket listener. */
interface ProbeTarget {
  readonly relay: MsrpUri
  readonly path?: string
}

/** Parses the value of `--relay`: an MSRP or a WebSocket URI. */
export const parseRelay = (text: string): Option.Option<ProbeTarget> => {
  const [, tls, authority, path = "/"] = /^ws(s?):\/\/([^/?#;\s]+)(\/[\x21\x24-\x7e]*)?$/i.exec(text) ?? []
  if (authority === undefined) return Option.map(parseMsrp(text), (relay) => ({ relay }))
  const scheme = tls === "" ? "msrp" : "msrps"
  const port = /:\d+$/.test(authority) ? "" : tls === "" ? ":80" : ":443"
  const relay = parseUri(`${scheme}://${authority}${port};ws`)
  return Option.map(Option.fromUndefinedOr(relay), (relay) => ({ relay, path }))
}

const parseMsrp = (text: string): Option.Option<MsrpUri> => {
  const [, scheme, authority, parameters = ";tcp"] = /^(msrps?):\/\/([^/?#;\s]+)\/?(;\S*)?$/i.exec(text) ?? []
  if (authority === undefined) return Option.none()
  // Added before parsing, because an MSRP URI with an address must have a port (RFC 4975 §6).
  const port = /:\d+$/.test(authority) ? "" : `:${DEFAULT_PORT}`
  return Option.fromUndefinedOr(parseUri(`${scheme}://${authority}${port}${parameters}`)).pipe(
    Option.filter(({ transport }) => transport.toLowerCase() === "tcp")
  )
}
