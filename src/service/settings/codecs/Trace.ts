/** Codecs of the capture server, and of traced users. */
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { isIPv4, isIPv6 } from "node:net"
import { MAX_KEY } from "../../../hep/Hep3.ts"
import { addressText } from "../../../transport/Connection.ts"
import { fromParse, type TextCodec } from "./Codec.ts"
import { each } from "./List.ts"
import { percentDecoded } from "./Users.ts"

/** The address of a capture server. */
export interface HepTarget {
  readonly transport: "udp" | "tcp"
  /** An IPv6 address has no brackets. */
  readonly host: string
  readonly port: number
}

const TARGET = /^(udp|tcp):(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9](?:[A-Za-z0-9._-]{0,253}[A-Za-z0-9])?)):(\d{1,5})$/i

export const hepTarget: TextCodec<HepTarget> = fromParse<HepTarget>(
  (text) => {
    const [, transport, address, name, digits] = TARGET.exec(text) ?? []
    const host = address ?? name
    const port = Number(digits)
    if (transport === undefined || host === undefined) return Result.fail(undefined)
    if (address !== undefined && !isIPv6(address)) return Result.fail(undefined)
    if (name !== undefined && /^[\d.]+$/.test(name) && !isIPv4(name)) return Result.fail(undefined)
    return port >= 1 && port <= 65_535
      ? Result.succeed({ transport: transport.toLowerCase() === "udp" ? "udp" : "tcp", host, port })
      : Result.fail(undefined)
  },
  ({ host, port, transport }) => `${transport}:${addressText({ host, port })}`
)

/** `*`, or names of users, in which `,` is written as %2C and `%` as %25. */
export const tracedUsers: TextCodec<ReadonlyArray<string> | "*"> = fromParse<ReadonlyArray<string> | "*">(
  (text) =>
    text === "*" ?
      Result.succeed(text) :
      each<string>(text, (one) => {
        const name = percentDecoded(one)
        return name === undefined || /\p{Cc}/u.test(name) ? Result.fail("is not a user name") : Result.succeed(name)
      }),
  (users) => users === "*" ? users : users.map((user) => user.replaceAll("%", "%25").replaceAll(",", "%2C")).join(",")
)

export const hepKey: TextCodec<Redacted.Redacted> = fromParse(
  (text) =>
    /\p{Cc}/u.test(text) || Buffer.byteLength(text) > MAX_KEY
      ? Result.fail(undefined)
      : Result.succeed(Redacted.make(text)),
  Redacted.value
)
