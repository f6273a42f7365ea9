/** Connects to a relay by its URI (RFC 4975 §6.2, RFC 4976 §5.1, §8). */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Codec } from "../Codec.ts"
import { DEFAULT_PORT, type MsrpUri } from "../protocol/Uri.ts"
import type { ResolverError } from "../Resolver.ts"
import type { Transport, TransportError } from "../Transport.ts"
import { checked } from "./CheckedClient.ts"
import { type Client, connect } from "./Endpoint.ts"
import { guardedConnect } from "./GuardedOptions.ts"
import type { Mailboxes } from "./Mailboxes.ts"
import type { ConnectOptions, RelayOptions } from "./Options.ts"
import { type Target, targetsByDns } from "./Targets.ts"

/** Whether a client can connect to this URI. */
export const isReachable = ({ sessionId, transport }: MsrpUri): boolean =>
  sessionId === undefined && /^(?:tcp|ws)$/i.test(transport)

const targetsFor = (uri: MsrpUri): Effect.Effect<ReadonlyArray<Target>, ResolverError> => {
  const { host, port, scheme, transport } = uri
  // WebSockets use the ports of HTTP. SRV records are defined for TLS only (RFC 4976 §8).
  if (/^ws$/i.test(transport)) return Effect.succeed([{ host, port: port ?? (scheme === "msrps" ? 443 : 80) }])
  return scheme === "msrps" ? targetsByDns(uri) : Effect.succeed([{ host, port: port ?? DEFAULT_PORT }])
}

/** Only the options of the connection: the others may include passwords. */
const ofConnection = (options: Omit<RelayOptions, "relay">): Omit<ConnectOptions, "scheme" | "host" | "port"> => {
  const { admits, collect, from, maxMessage, maxReports, maxUnread, path, record, report, respond, responseTimeout } =
    options
  return { path, from, admits, respond, report, record, collect, maxMessage, maxUnread, maxReports, responseTimeout }
}

/** Connects to the first target that answers. Its certificate must be for the host of the URI (RFC 4976 §9.2). */
export const connectByUri = Effect.fnUntraced(function*(
  uri: MsrpUri,
  options: Omit<RelayOptions, "relay">,
  mailboxes?: Mailboxes
): Effect.fn.Return<Client, TransportError | ResolverError, Transport | Codec | Scope.Scope> {
  const targets = yield* targetsFor(uri)
  const { scheme } = uri
  const transport = /^ws$/i.test(uri.transport) ? "ws" : "tcp"
  const client = yield* Effect.firstSuccessOf(targets.map((target) =>
    Effect.flatMap(
      guardedConnect({
        ...ofConnection(options),
        ...target,
        scheme,
        transport,
        ...(target.host !== uri.host ? { serverName: uri.host } : {})
      }),
      (options) => connect(options, mailboxes)
    )
  ))
  return checked(client)
})
