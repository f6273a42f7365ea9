/** The URIs and listeners of the relay, which must be consistent. */
import { isLocalhost, isWildcard, loopbackAddresses } from "../../../net/Hosts.ts"
import { canonicalHost, type MsrpUri, parsePath, sameUri } from "../../../protocol/Uri.ts"
import type { LocalSocket } from "../../../Transport.ts"
import { printSocket, uriOf } from "../codecs/Addresses.ts"
import type { Problems } from "../Problems.ts"
import type { Values } from "../Table.ts"
import { DEFAULT_URIS, DEMO_URI } from "../table/Addresses.ts"

export interface Addresses {
  /** All have a port; the configured ones come first, in their order. */
  readonly uris: ReadonlyArray<MsrpUri>
  readonly listen: ReadonlyArray<LocalSocket>
}

/**
 * URIs and listeners. If one of them is not set, it follows from the other. `withDemo`: whether the demo page is
 * wanted if neither is set.
 */
export const addressesOf = (values: Values, problems: Problems, withDemo: boolean): Addresses | undefined => {
  if (!problems.fine("uris", "listen")) return undefined
  const { listen, usePath = [] } = values
  const unreachable = values.uris === undefined ? listen?.find(({ host }) => isWildcard(host)) : undefined
  if (unreachable !== undefined) {
    problems.add("uris", `is required because clients cannot connect to ${unreachable.host}, which is in MSRP_LISTEN`)
    return undefined
  }
  const uris = values.uris ?? listen?.toSorted(byTcpFirst).map(uriOf) ??
    parsePath((withDemo ? `${DEFAULT_URIS},${DEMO_URI}` : DEFAULT_URIS).replaceAll(",", " "), 8)!
  const sockets = distinct(listen ?? uris.map(socketOf), (text) => problems.add(listen ? "listen" : "uris", text))
  for (const domain of new Set(usePath.flatMap(({ domain }) => domain ?? []))) {
    if (!uris.some(({ host }) => canonicalHost(host) === domain)) {
      problems.add("usePath", `is for ${domain}, which is not the host of any URI of the relay`)
    }
  }
  const others = uris.filter(({ host }) => isLocalhost(host)).flatMap((uri) =>
    IMPLIED.map((host) => uriOf({ ...uri, host }))
  )
  return { uris: [...uris, ...others.filter((one) => !uris.some((uri) => sameUri(one, uri)))], listen: sockets }
}

/** The addresses that `localhost` implies. */
const IMPLIED = ["127.0.0.1", "::1"]

/** Leaves out URIs that have an address only because another one has `localhost`: the operator has configured the name. */
export const withoutImplied = (uris: ReadonlyArray<MsrpUri>): ReadonlyArray<MsrpUri> =>
  uris.filter(({ host, port, scheme }) =>
    !IMPLIED.includes(canonicalHost(host)) ||
    !uris.some((other) => isLocalhost(other.host) && other.port === port && other.scheme === scheme)
  )

/** Puts TCP first, because other endpoints connect by TCP if they can. */
const byTcpFirst = (a: LocalSocket, b: LocalSocket): number =>
  Number(a.transport === "ws") - Number(b.transport === "ws")

const socketOf = ({ host, port, scheme, transport }: MsrpUri): LocalSocket =>
  transport === "ws" ? { scheme, transport, host, port: port! } : { scheme, host, port: port! }

/** Replaces `localhost` by addresses; reports two sockets with the same address and port. */
const distinct = (
  sockets: ReadonlyArray<LocalSocket>,
  problem: (text: string) => void
): ReadonlyArray<LocalSocket> => {
  const all: Array<{ readonly socket: LocalSocket; readonly implied: boolean }> = []
  for (const given of sockets) {
    const implied = isLocalhost(given.host)
    for (const host of implied ? loopbackAddresses() : [given.host]) {
      const socket = { ...given, host }
      const clash = all.find((other) => overlap(other.socket, socket))
      if (clash === undefined) {
        all.push({ socket, implied })
      } else if (
        !(implied || clash.implied) || clash.socket.scheme !== socket.scheme ||
        canonicalHost(clash.socket.host) !== canonicalHost(host)
      ) {
        problem(`has ${printSocket(clash.socket)} and ${printSocket(socket)}, which are on the same address and port`)
        break
      }
    }
  }
  return all.map(({ socket }) => socket)
}

const overlap = (a: LocalSocket, b: LocalSocket): boolean => {
  const [one, other] = [canonicalHost(a.host), canonicalHost(b.host)]
  const sameFamily = one.includes(":") === other.includes(":")
  return a.port === b.port && (one === other || (sameFamily && (isWildcard(one) || isWildcard(other))))
}
