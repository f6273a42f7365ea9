/** Options of the relay's layers, from the values of the settings. */
import * as Duration from "effect/Duration"
import type { DigestOptions } from "../../Authenticator.ts"
import { serveDemo } from "../../demo/DemoPage.ts"
import { isLoopback } from "../../net/Hosts.ts"
import type { RelayLimits, RelayOptions, SessionOptions } from "../../Relay.ts"
import type { NodeOptions } from "../../Transport.ts"
import type { Addresses } from "./checks/Addresses.ts"
import { admitting } from "./codecs/WebSocket.ts"
import type { Values } from "./Table.ts"

/** 0 stands for no bound. */
const unlessZero = (rate: number): number => rate === 0 ? Infinity : rate

const limitsOf = (values: Values): Partial<RelayLimits> => ({
  stall: values.stallLimit,
  output: values.outputLimit,
  session: values.sessionBuffer,
  sessionsPerConnection: values.maxSessionsPerConnection,
  sessionsPerRelay: values.maxSessionsPerRelay,
  relayGone: values.relayGone,
  transactions: values.maxTransactions,
  requestRate: unlessZero(values.messageRate),
  octetRate: unlessZero(values.octetRate),
  failedAuths: values.maxFailedAuth,
  connections: values.maxConnections,
  connectionsPerAddress: values.maxConnectionsPerAddress ?? Infinity,
  connectionsInProbation: values.maxConnectionsInProbation,
  dials: values.maxDials,
  nextHopsPerUser: values.maxNextHopsPerUser,
  nextHopsPerAddress: values.maxNextHopsPerAddress,
  unused: values.nextHopUnused,
  idle: values.idleLimit,
  ping: values.wsPing,
  drain: values.drainTimeout
})

/** Options of `Relay.layer` that follow from single settings; `checks/` decides the others. */
export const relayOptionsOf = (values: Values): Partial<RelayOptions> & { readonly sessions: SessionOptions } => ({
  usePath: values.usePath,
  relayAddresses: values.relayAddresses,
  authRealm: values.realm,
  authMinExpires: values.minExpires,
  authMaxExpires: values.maxExpires,
  plaintextAuth: values.allowPlaintextAuth ? "always" : "loopback",
  authRelayMaxExpires: values.relayMaxExpires,
  nextHops: {
    allow: values.nextHopAllow,
    alone: values.nextHopAlone,
    deny: values.nextHopDeny,
    ports: values.nextHopPorts
  },
  sessions: {
    hashSize: values.hashSize,
    cleanupInterval: Duration.seconds(values.cleanupInterval),
    maxSessions: values.maxSessions,
    maxSessionsPerUser: values.maxSessionsPerUser,
    extendActive: values.extendActiveSessions
  },
  limits: limitsOf(values)
})

export const digestOptionsOf = (values: Values): DigestOptions => ({
  algorithms: values.algorithms,
  nonceExpire: Duration.seconds(values.nonceExpire),
  realmsWithoutMd5: values.realmsWithoutMd5,
  freePerUser: values.freeFailuresPerUser,
  freePerAddress: values.freeFailuresPerAddress
})

interface TransportParts {
  readonly addresses: Addresses
  readonly demoPage: boolean
  readonly proxies: NodeOptions["proxies"]
}

export const transportOptionsOf = (
  values: Values,
  { addresses, demoPage, proxies }: TransportParts
): Omit<NodeOptions, "tls"> => ({
  allowSelfSigned: values.allowSelfSigned,
  connectTimeout: values.connectTimeout,
  // Room for the connections of the relay, and for TLS handshakes in progress.
  maxConnections: values.maxConnections + values.maxConnectionsInProbation,
  maxHandshakes: values.maxConnectionsInProbation,
  maxHandshakesPerAddress: values.handshakesPerAddress,
  handshakeRate: unlessZero(values.handshakeRate),
  // A local peer may be a proxy for many clients, and could exhaust this machine by other means anyway.
  isExempt: isLoopback,
  keepAlive: values.keepAlive,
  proxies,
  pollSignal: true,
  webSocket: {
    piece: values.wsChunk,
    ...(demoPage ? { serve: serveDemo(addresses.uris) } : {}),
    ...(values.wsOrigins === undefined ? {} : { admitsOrigin: admitting(values.wsOrigins) })
  }
})
