/** Codecs of the relay's URIs and sockets, of name servers, and of addresses and networks. */
import * as Result from "effect/Result"
import { isAddressOrNetwork } from "../../../net/AddressList.ts"
import { isWildcard } from "../../../net/Hosts.ts"
import { canonicalHost, DEFAULT_PORT, formatUri, type MsrpUri, parseUri, sameUri } from "../../../protocol/Uri.ts"
import type { UsePathUri } from "../../../relay/rules/OwnUris.ts"
import { isNameServer } from "../../../resolver/Srv.ts"
import { parseSocket, parseSocketRules, type SocketRule } from "../../../SocketSelector.ts"
import type { LocalSocket } from "../../../Transport.ts"
import { addressText } from "../../../transport/Connection.ts"
import { fromParse, type TextCodec } from "./Codec.ts"
import { listOf } from "./List.ts"

/**
 * Matches a URI up to where its port is missing. The port is inserted before parsing, because a URI with an address
 * must have one.
 */
const NO_PORT = /^(msrps?:\/\/(?:[^/;@]*@)?(?:\[[^\]]*\]|[^:/;@[\]]+)):?(?=[/;]|$)/i

/** Transports: TCP, and WebSocket for browsers (RFC 7977). */
const TRANSPORTS = new Set(["tcp", "ws"])

const ownUri = (text: string, before: ReadonlyArray<MsrpUri>): Result.Result<MsrpUri, string> => {
  const uri = parseUri(text.replace(NO_PORT, `$1:${DEFAULT_PORT}`))
  if (uri === undefined) {
    return Result.fail(
      parseUri(`${text.replace(NO_PORT, `$1:${DEFAULT_PORT}`)};tcp`) === undefined
        ? "is not an MSRP URI"
        : `needs ";tcp" at its end`
    )
  }
  if (uri.userinfo !== undefined) return Result.fail("has a user name, which the URI of a relay must not have")
  if (uri.sessionId !== undefined) return Result.fail("has a session-id, which the URI of a relay must not have")
  if (!TRANSPORTS.has(uri.transport.toLowerCase())) return Result.fail(`must have the transport "tcp" or "ws"`)
  if (uri.parameters !== "") return Result.fail("has parameters, which the URI of a relay must not have")
  if (uri.port === 0) return Result.fail("has port 0")
  if (isWildcard(uri.host)) {
    return Result.fail("has an address to which clients cannot connect; put it into MSRP_LISTEN, and a name here")
  }
  return before.some((one) => sameUri(one, uri)) ? Result.fail("occurs twice") : Result.succeed(uriOf(uri))
}

/** A URI of the relay, printed with its port. */
export const uriOf = ({ host, port, scheme, transport: given = "tcp" }: UriOf): MsrpUri => {
  const transport = given.toLowerCase()
  return uriWith({ scheme, host, port, transport })
}

const uriWith = ({ host, port, scheme, transport }: UriOf & { readonly transport: string }): MsrpUri => ({
  text: formatUri({ scheme, host, port, transport }),
  scheme,
  userinfo: undefined,
  host,
  port,
  sessionId: undefined,
  transport,
  parameters: ""
})

interface UriOf extends Pick<MsrpUri, "host" | "port" | "scheme"> {
  readonly transport?: string | undefined
}

export const uris: TextCodec<ReadonlyArray<MsrpUri>> = listOf(ownUri, ({ text }) => text)

/** One URI for each scheme, and one for each domain that precedes it with `=`. */
export const usePath: TextCodec<ReadonlyArray<UsePathUri>> = listOf<UsePathUri>((text, before) => {
  const [, domain, rest = text] = /^([^=:/]+|\[[^\]]*\])=\s*(.*)$/.exec(text) ?? []
  const uri = ownUri(rest, [])
  if (Result.isFailure(uri)) return uri
  const host = domain === undefined ? undefined : canonicalHost(domain.trim())
  if (before.some((one) => one.scheme === uri.success.scheme && one.domain === host)) {
    return Result.fail(`has the scheme of another one${host === undefined ? "" : " for this domain"}`)
  }
  return Result.succeed(host === undefined ? uri.success : { ...uri.success, domain: host })
}, ({ domain, text }) => domain === undefined ? text : `${domain}=${text}`)

/** A socket in the notation of the variables. */
export const printSocket = ({ host, path = "/", port, scheme, transport }: LocalSocket): string => {
  const address = addressText({ host, port })
  if (transport !== "ws") return `${scheme}:${address}`
  return `${scheme === "msrps" ? "wss" : "ws"}:${address}${path === "/" ? "" : path}`
}

/** Parses a listener: a socket, or `ws:192.0.2.1:80/path`; `wss` for TLS. */
const parseListener = (text: string): LocalSocket | undefined => {
  const [, secure, address, path = "/"] = /^ws(s?):([^/]+)(\/[!-~]*)?$/i.exec(text) ?? []
  if (address === undefined) return parseSocket(text)
  const socket = parseSocket(`${secure === "" ? "msrp" : "msrps"}:${address}`)
  return socket === undefined || /[?#]/.test(path) ? undefined : { ...socket, transport: "ws", path }
}

export const listeners: TextCodec<ReadonlyArray<LocalSocket>> = listOf((text) => {
  const socket = parseListener(text)
  if (socket === undefined) {
    return Result.fail(
      "is not a socket such as msrp:192.0.2.1:2855, msrps:[::]:2856, ws:127.0.0.1:2857 or wss:[::]:443/msrp"
    )
  }
  return socket.port === 0
    ? Result.fail("has port 0, which would be another port at each start")
    : Result.succeed(socket)
}, printSocket)

/** The rules, and their text. */
export interface SocketRoutes {
  readonly text: string
  readonly rules: ReadonlyArray<SocketRule>
}

export const socketRoutes: TextCodec<SocketRoutes> = fromParse(
  (text) =>
    Result.mapBoth(parseSocketRules(text), {
      onSuccess: (rules) => ({ text, rules }),
      onFailure: (error) => error.message
    }),
  (routes) => routes.text
)

/** Name servers, as `Resolver.setServers` of Node accepts them. */
export const dnsServers: TextCodec<ReadonlyArray<string>> = listOf((text) =>
  isNameServer(text) ? Result.succeed(text) : Result.fail("is not an address")
)

/** Addresses and networks. */
export const networks: TextCodec<ReadonlyArray<string>> = listOf((one) =>
  isAddressOrNetwork(one) ? Result.succeed(one) : Result.fail("is not an address or network")
)
