/** Checks DNS: that the name servers answer, and that the records of the relay's own names lead to it (RFC 4976 §8). */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Dns from "node:dns"
import { isIP } from "node:net"
import { canonicalAddress, machineAddresses } from "../../net/Addresses.ts"
import { hostName, isLoopback } from "../../net/Hosts.ts"
import { canonicalHost } from "../../protocol/Uri.ts"
import { Resolver } from "../../Resolver.ts"
import { nameServerOf, querySrv, type SrvRecord } from "../../resolver/Srv.ts"
import type { SettingsShape } from "../Settings.ts"
import { type Finding, findingsOf } from "./Finding.ts"

const { ok, skipped, warning } = findingsOf("names")

/** Maximum numbers of own names, name servers and records that are checked. */
const MAX_NAMES = 16
const MAX_SERVERS = 8
const MAX_RECORDS = 32

/** A domain that never exists (RFC 6761 §6.4): a server that says so is working. */
const NOBODY = "_msrps._tcp.invalid"

/** Host and port as in an SRV record. */
interface Place {
  readonly host: string
  readonly port: number
}

export const checkNames = Effect.fnUntraced(function*(
  { relay, resolver: { servers: given } }: SettingsShape
): Effect.fn.Return<ReadonlyArray<Finding>> {
  const { listen, uris, usePath = [] } = relay
  const own: ReadonlyArray<Place> = [...uris, ...usePath].filter(({ scheme }) => scheme === "msrps")
    .map(({ host, port }) => ({ host: canonicalHost(host), port: port! }))
  const names = [...new Set([...uris, ...usePath].map(({ host }) => canonicalHost(host)))]
    .filter((host) => isIP(host) === 0 && !isLoopback(host)).slice(0, MAX_NAMES)
  if (given === undefined && listen.every(({ host }) => isLoopback(host))) {
    return [skipped("", "the relay listens only on loopback")]
  }
  const servers = (given ?? Dns.getServers()).slice(0, MAX_SERVERS)
  const asked = yield* Effect.forEach(
    servers,
    (server) => Effect.map(Effect.result(querySrv(NOBODY, nameServerOf(server))), (answer) => ({ server, answer })),
    { concurrency: "unbounded" }
  )
  const silent = asked.flatMap(({ answer, server }) =>
    Result.isFailure(answer)
      ? [warning(server, `does not answer (${answer.failure.code})`, "set MSRP_DNS_SERVERS to query others")]
      : []
  )
  const reachable = asked.flatMap(({ answer, server }) => Result.isSuccess(answer) ? [server] : [])
  if (reachable.length === 0) {
    return [
      ...silent,
      warning(
        "",
        "no name server answers: relays of other domains will not be found, and the names of this relay were not checked"
      )
    ]
  }
  const answering = ok("", `${reachable.join(", ")} answer${reachable.length === 1 ? "s" : ""}`)
  const ports = new Set([...own, ...listen.filter(({ scheme }) => scheme === "msrps")].map(({ port }) => port))
  const found = yield* Effect.forEach(names, (name) => checkName(name, reachable[0]!, own, ports), {
    concurrency: "unbounded"
  })
  return [...silent, answering, ...found.flat()]
})

/** Checks what clients and other relays get when they look up a name of the relay. */
const checkName = Effect.fnUntraced(function*(
  name: string,
  server: string,
  own: ReadonlyArray<Place>,
  ports: ReadonlySet<number>
) {
  const subject = `_msrps._tcp.${name}`
  const addresses = yield* addressesOf(name)
  const ofHost = addresses.length > 0
    ? []
    : [warning(name, "has no address: clients that find the relay by DNS cannot connect")]
  const answer = yield* Effect.result(querySrv(subject, nameServerOf(server)))
  if (Result.isFailure(answer)) {
    return [...ofHost, warning(subject, `cannot be looked up (${answer.failure.code})`)]
  }
  const records = answer.success.slice(0, MAX_RECORDS)
  if (records.length === 0) {
    // Without SRV records, clients connect to the host itself.
    return ofHost.length > 0 ? ofHost : [ok(name, `${addresses.join(", ")}; it has no SRV records`)]
  }
  const here = new Set([
    ...machineAddresses(),
    ...(yield* Effect.forEach([...new Set(own.map(({ host }) => host))], addressesOf)).flat()
  ].map(canonicalAddress))
  const leading: Array<SrvRecord> = []
  for (const record of records) {
    if (!ports.has(record.port)) continue
    const target = hostName(record.target)
    if (
      own.some(({ host }) => host === target) ||
      (yield* addressesOf(target)).map(canonicalAddress).some((one) => here.has(one))
    ) {
      leading.push(record)
    }
  }
  const first = leading[0]
  return [
    // A domain with SRV records needs no addresses of its own.
    first === undefined
      ? warning(subject, `none of its records leads to this relay: ${records.map(printed).join(", ")}`)
      : ok(subject, `leads here, to ${printed(first)}`)
  ]
})

const printed = ({ port, target }: SrvRecord): string => target === "" ? "no relay at all (\".\")" : `${target}:${port}`

/** Addresses as the system resolves them; empty if there are none or the lookup fails. */
const addressesOf = (host: string): Effect.Effect<ReadonlyArray<string>> =>
  isIP(host) !== 0
    ? Effect.succeed([host])
    : host === ""
    ? Effect.succeed([])
    : Effect.flatMap(Resolver, ({ addresses }) => Effect.orElseSucceed(addresses(host), () => []))
