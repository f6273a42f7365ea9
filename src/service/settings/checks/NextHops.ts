/** Warnings about next hops that get a connection for each session, although connections to them are denied. */
import { isIP } from "node:net"
import { NextHops } from "../../../relay/rules/NextHops.ts"
import { type Values, variables } from "../Table.ts"
import type { Addresses } from "./Addresses.ts"

/** Rules are compared regardless of ports. */
const ANY_PORT = 65_535

/** Warns of such next hops: they are usually internal, and their calls fail with 403. */
export const nextHopWarnings = (
  { listen }: Addresses,
  { nextHopAllow: allow, nextHopAlone: alone, nextHopDeny: deny }: Values
): ReadonlyArray<string> => {
  const nextHops = new NextHops({ allow, deny }, listen)
  const closed = alone.filter((one) => isIP(one) !== 0 && !nextHops.admitsAddress([one], one, ANY_PORT))
  return closed.length === 0
    ? []
    : [
      `${variables.nextHopAlone.variable} has ${closed.join(", ")}, to which connections are forbidden: ` +
      `${variables.nextHopAllow.variable} has to contain that too`
    ]
}
