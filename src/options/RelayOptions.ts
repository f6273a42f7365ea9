/** The valid options of a relay, as far as types do not express them. */
import * as Schema from "effect/Schema"
import { isAddressOrNetwork } from "../net/AddressList.ts"
import { isHostPattern } from "../net/Hosts.ts"
import { REALM } from "../protocol/digest/Challenge.ts"
import type { MsrpUri } from "../protocol/Uri.ts"
import type { RelayLimits } from "../relay/Limits.ts"
import { isNextHopRule, isPortRange, type PortRange } from "../relay/rules/NextHops.ts"
import type { RelayPolicy } from "../relay/rules/Peers.ts"
import {
  duration,
  httpPath,
  notNegative,
  oneOf,
  type OptionProblem,
  positive,
  quantity,
  text,
  whole,
  wholeOrUnbounded,
  wrongOrUnknown
} from "./Options.ts"
import { type Range, ranges } from "./Ranges.ts"

const some: Range = [1, 1_000_000_000]

/** Lowers the minimum to 1: a program, such as a test, may want limits that are too small for a service. */
const atMost = ([, maximum]: Range): Range => [1, maximum]

const limits: { readonly [K in keyof RelayLimits]: Schema.Codec<number> } = {
  turn: whole(some),
  output: whole(atMost(ranges.output)),
  responses: whole(some),
  session: whole(atMost(ranges.session)),
  connection: whole(some),
  hold: positive,
  relayed: whole(some),
  relay: whole(some),
  unanswered: whole(some),
  unansweredOfUser: whole(some),
  transactions: whole(atMost(ranges.transactions)),
  failedAuths: whole(ranges.failedAuths),
  authDecision: positive,
  probationOctets: whole(some),
  unsuccessful: whole(some),
  requestRate: wholeOrUnbounded(ranges.requestRate),
  octetRate: wholeOrUnbounded(atMost(ranges.octetRate)),
  sessionsPerConnection: whole(ranges.sessionsPerConnection),
  sessionsPerRelay: wholeOrUnbounded(some),
  connections: whole(ranges.connections),
  connectionsPerAddress: wholeOrUnbounded(ranges.connectionsPerAddress),
  connectionsInProbation: whole(ranges.connectionsInProbation),
  dials: whole(ranges.dials),
  lookups: wholeOrUnbounded(some),
  auths: whole(some),
  nextHopsPerUser: wholeOrUnbounded(ranges.nextHops),
  nextHopsPerAddress: wholeOrUnbounded(ranges.nextHops),
  unused: positive,
  idle: quantity(ranges.idle),
  ping: quantity(ranges.ping),
  stall: quantity(ranges.stall),
  drain: quantity(ranges.drain),
  draining: notNegative,
  closing: positive,
  overtime: notNegative,
  relayGone: positive,
  blocked: positive
}

const rules = Schema.optional(Schema.Array(text("an address, a network or a host name", isNextHopRule)))

const relayPeers = Schema.declare(
  (value: unknown): value is RelayPolicy =>
    value === "all" || value === "none" ||
    (Array.isArray(value) && value.every((name) => typeof name === "string" && isHostPattern(name))),
  { expected: `"all", "none" or host names of relays` }
)

export const socket = Schema.Struct({
  scheme: oneOf("msrp", "msrps"),
  transport: Schema.optional(oneOf("tcp", "ws")),
  path: Schema.optional(httpPath),
  host: text("an address or a host name", (host) => host !== ""),
  port: whole([0, 65_535])
})

export const sockets = Schema.Array(socket)

/** The sockets of a relay, without which nobody can connect to it. */
export const listen = sockets.check(Schema.isMinLength(1, { expected: "one socket or several" }))

const uris = Schema.optional(
  Schema.Array(Schema.declare(
    (value: unknown): value is MsrpUri => {
      const { host, scheme, text } = Object(value) as Partial<MsrpUri>
      return (scheme === "msrp" || scheme === "msrps") && typeof host === "string" && host !== "" &&
        typeof text === "string"
    },
    { expected: "what parseUri makes of an MSRP URI" }
  )).check(Schema.isMinLength(1, { expected: "one URI or several" }))
)

const schema = Schema.Struct({
  listen,
  uris,
  usePath: uris,
  relayListen: Schema.optional(sockets),
  relayAddresses: Schema.optional(Schema.Array(text("an address or a network", isAddressOrNetwork))),
  authRealm: Schema.optional(
    text("1 to 255 characters without quotation marks, backslashes or control characters", (realm) => REALM.test(realm))
  ),
  authExpires: Schema.optional(whole(ranges.expires)),
  authMinExpires: Schema.optional(whole(ranges.expires)),
  authMaxExpires: Schema.optional(whole(ranges.expires)),
  authRelayMaxExpires: Schema.optional(whole(ranges.expires)),
  clientCertificates: Schema.optional(Schema.Boolean),
  plaintextAuth: Schema.optional(oneOf("loopback", "always", "never")),
  relayPeers: Schema.optional(relayPeers),
  nextHops: Schema.optional(Schema.Struct({
    allow: rules,
    alone: rules,
    deny: rules,
    ports: Schema.optional(Schema.Array(
      Schema.declare(
        (value: unknown): value is PortRange =>
          typeof value === "object" && value !== null && isPortRange(value as PortRange),
        {
          expected: "ports from 1 to 65535, the first one not above the last"
        }
      )
    ))
  })),
  sessions: Schema.optional(Schema.Struct({
    hashSize: Schema.optional(whole([0, 20])),
    cleanupInterval: Schema.optional(duration),
    maxSessions: Schema.optional(whole(ranges.maxSessions)),
    maxSessionsPerUser: Schema.optional(wholeOrUnbounded(ranges.maxSessionsPerUser)),
    extendActive: Schema.optional(Schema.Boolean)
  })),
  limits: Schema.optional(Schema.Struct(
    Object.fromEntries(Object.entries(limits).map(([name, one]) => [name, Schema.optional(one)]))
  ))
})

interface Expiries {
  readonly authExpires?: number | undefined
  readonly authMinExpires?: number | undefined
  readonly authMaxExpires?: number | undefined
  readonly authRelayMaxExpires?: number | undefined
}

/** Checks that the bounds of a lifetime are consistent, and that the default is within them. */
const order = (
  { authExpires, authMaxExpires: most, authMinExpires: least, authRelayMaxExpires: mostBehindRelays }: Expiries
): ReadonlyArray<OptionProblem> => {
  const problem = (option: string, text: string) => [{ option, problem: text }]
  if (least !== undefined && most !== undefined && least > most) {
    return problem("authMinExpires", "must not be above authMaxExpires")
  }
  if (least !== undefined && mostBehindRelays !== undefined && least > mostBehindRelays) {
    return problem("authRelayMaxExpires", "must not be below authMinExpires")
  }
  if (authExpires === undefined) return []
  if (least !== undefined && authExpires < least) return problem("authExpires", "must not be below authMinExpires")
  return most !== undefined && authExpires > most ? problem("authExpires", "must not be above authMaxExpires") : []
}

export const wrongRelayOptions = wrongOrUnknown<Expiries>("Relay.layer", schema, order)
