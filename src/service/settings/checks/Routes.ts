/** Socket routes that never apply, because the relay does not listen on their sockets. */
import { canonicalHost } from "../../../protocol/Uri.ts"
import type { LocalSocket } from "../../../Transport.ts"
import { printSocket } from "../codecs/Addresses.ts"
import { type Values, variables } from "../Table.ts"
import type { Addresses } from "./Addresses.ts"

/** Warns of such routes. */
export const routeWarnings = ({ listen }: Addresses, { socketRoutes }: Values): ReadonlyArray<string> => {
  const keyOf = ({ host, port, scheme }: LocalSocket): string =>
    printSocket({ scheme, host: canonicalHost(host), port })
  const there = new Set(listen.map(keyOf))
  const named = new Set((socketRoutes?.rules ?? []).flatMap(({ inbound = [] }) => inbound.map(keyOf)))
  const missing = [...named].filter((one) => !there.has(one))
  return missing.length === 0
    ? []
    : [
      `${variables.socketRoutes.variable} has "in=" for ${missing.join(", ")}, on which the relay does not listen ` +
      `(but on ${[...there].join(", ")})`
    ]
}
