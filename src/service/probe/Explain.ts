/** Errors of a probe in words that help to find their cause. */
import type { ClientError } from "../../Client.ts"
import { type MsrpUri, targetOf } from "../../protocol/Uri.ts"
import type { TransportError } from "../../Transport.ts"
import type { Mismatch, Stalled } from "./Errors.ts"

export type StepError = TransportError | ClientError | Stalled | Mismatch

/** What went wrong in a step, and what may help. */
export const explain = (
  error: StepError,
  relay: MsrpUri
): string => {
  switch (error._tag) {
    case "Mismatch":
      return error.message
    case "Stalled":
      return `nothing happened for ${error.timeout} seconds`
    case "ClientError":
      return explainClient(error, relay)
    case "TransportError":
      return explainTransport(error)
  }
}

/** The option that reaches the relay over TLS; undefined if the probe uses TLS already. */
const overTls = ({ scheme, transport }: MsrpUri): string | undefined =>
  scheme === "msrps" ? undefined : `--relay ${transport === "ws" ? "wss" : "msrps"}://...`

/** A status does not tell its reasons apart, in contrast to the log. */
const IN_LOG =
  "the log of the relay says why (`login failed`; of a message, `message not delivered` or `request refused`)"

const explainClient = (error: ClientError, relay: MsrpUri): string => {
  const tls = overTls(relay)
  switch (error.status) {
    case 401:
      return `401, user name or password is wrong, in the realm ${relay.host} unless MSRP_AUTH_REALM is another. ` +
        "(A relay without any configuration prints the password of its user `demo` when it starts.)"
    case 403:
      return `403, not allowed${tls === undefined ? "" : `, perhaps only over TLS, with ${tls}`}: ${IN_LOG}`
    case 408:
      return `408, not possible now: ${IN_LOG}`
    case 481:
      return "481, the relay does not know its own Use-Path URI any more, or not the way to the other party"
    case undefined: {
      if (error.reason !== "Closed") return error.message
      const unknown = `does not know ${targetOf(relay)} as its own (MSRP_URIS)`
      return tls === undefined
        ? `${error.message}: perhaps the relay ${unknown}`
        : `${error.message}: perhaps the relay speaks TLS there, with ${tls}, or ${unknown}`
    }
    default:
      return error.message
  }
}

export const explainTransport = (error: TransportError): string => {
  const { message, reason, target } = error
  switch (reason) {
    case "Refused":
      return `nobody listens at ${target}`
    case "Timeout":
      return `no answer from ${target}`
    case "NameNotFound":
      return `the host name of ${target} has no address`
    case "Certificate":
      return `the relay's certificate is not accepted (${message}); give its authority with --ca, or accept a self-signed one with --insecure`
    case "WebSocket":
      return `cannot ${message}`
    default:
      return `cannot ${message}${/^(?:msrps|wss):/.test(target) ? "; is TLS spoken there?" : ""}`
  }
}
