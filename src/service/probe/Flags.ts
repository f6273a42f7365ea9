/** The flags of `msrp-relay probe`. */
import * as ByteSize from "effect/ByteSize"
import * as Flag from "effect/cli/Flag"
import * as Option from "effect/Option"
import { passwordFlags } from "../Password.ts"
import { parseRelay } from "./Target.ts"

/** Octets, from a number alone or a size with a unit. */
const parseSize = (text: string): Option.Option<number> =>
  /^\d{1,15}$/.test(text)
    ? Option.some(Number(text))
    : Option.flatMap(ByteSize.fromString(text), ByteSize.toNumber)

export const probeFlags = {
  relay: Flag.String("relay").pipe(
    Flag.withDescription(
      "URI of the relay: msrp:// for TCP, msrps:// for TLS (default port 2855); " +
        "ws:// and wss:// for WebSocket, with the path (default ports 80 and 443)"
    ),
    Flag.withMetavar("URI"),
    Flag.withDefault("msrp://localhost:2855"),
    Flag.filterMap(
      parseRelay,
      () => "the URI of a relay, such as msrps://relay.example.com:2855 or wss://relay.example.com/msrp"
    )
  ),
  user: Flag.String("user").pipe(
    Flag.withDescription("User name (default: demo)"),
    Flag.withMetavar("NAME"),
    Flag.withDefault("demo")
  ),
  ...passwordFlags,
  ca: Flag.String("ca").pipe(
    Flag.withDescription(
      "PEM file of trusted authorities, instead of those of Node.js"
    ),
    Flag.withMetavar("PATH"),
    Flag.optional
  ),
  insecure: Flag.Boolean("insecure").pipe(
    Flag.withoutNegation,
    Flag.withDescription("Accept a self-signed certificate with any name"),
    Flag.withDefault(false)
  ),
  json: Flag.Boolean("json").pipe(
    Flag.withoutNegation,
    Flag.withDescription("Print one JSON document at the end"),
    Flag.withDefault(false)
  ),
  size: Flag.String("size").pipe(
    Flag.withMetavar("SIZE"),
    Flag.withDescription("Size of the file to send in each direction, such as 20MB (default: 1 MiB)"),
    Flag.withDefault("1 MiB"),
    Flag.filterMap(parseSize, () => "a size, such as 500000, 20MB or 1.5GiB")
  ),
  timeout: Flag.Int("timeout").pipe(
    Flag.withDescription("Seconds without progress after which a step fails (default: 10)"),
    Flag.withMetavar("SECONDS"),
    Flag.withDefault(10),
    Flag.filter((seconds) => seconds > 0, () => "one second or more")
  )
}
