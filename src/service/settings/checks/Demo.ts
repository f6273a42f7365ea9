/** The demo page, which is served on loopback only. */
import { isLoopback } from "../../../net/Hosts.ts"
import type { Problems } from "../Problems.ts"
import type { Values } from "../Table.ts"
import { DEMO_PORT } from "../table/Addresses.ts"
import type { Addresses } from "./Addresses.ts"
import { isUntouched } from "./Users.ts"

/** Whether the demo page is requested, or nothing at all is configured. */
export const wantsDemo = (values: Values, problems: Problems): boolean =>
  problems.fine("demo") && (values.demo ?? (isUntouched(values, problems) && !isTaken(values)))

/** Whether the demo page is served. It is a problem if it is requested but cannot be. */
export const demoOf = (
  wanted: boolean,
  values: Values,
  addresses: Addresses | undefined,
  problems: Problems
): boolean => {
  if (!wanted || addresses === undefined) return false
  const isHere = addresses.listen.some(({ host, transport }) => transport === "ws" && isLoopback(host))
  if (!isHere) {
    problems.add(
      "demo",
      `is on, and no WebSocket listener is on loopback: ws:localhost:${DEMO_PORT} in MSRP_LISTEN is one`,
      "off"
    )
  } else if (values.listen === undefined && values.uris === undefined && isTaken(values)) {
    problems.add("demo", `is on, and MSRP_ADMIN has its port ${DEMO_PORT}: give it another one`, "off")
  }
  return isHere
}

/** Whether the admin API has its port. */
const isTaken = ({ admin }: Values): boolean => admin?._tag === "Tcp" && admin.port === DEMO_PORT
