/** How a transport fails. */
import * as Data from "effect/Data"

/**
 * Why a socket could not be bound or a hop could not be reached.
 *
 * - `Refused`: nobody listens there
 * - `Timeout`: no answer, or no finished TLS handshake, within the limit
 * - `Unreachable`: no route to the address
 * - `NameNotFound`: the host name has no address, or could not be resolved now
 * - `Certificate`: the certificate of the peer was not accepted, or the own one is missing or unusable
 * - `Forbidden`: the host has no address that may be connected to
 * - `AddressInUse`: another program holds the address and port
 * - `Other`: anything else, see `cause`
 */
export type TransportErrorReason =
  | "Refused"
  | "Timeout"
  | "Unreachable"
  | "NameNotFound"
  | "Certificate"
  | "Forbidden"
  | "AddressInUse"
  | "Other"

/** A socket could not be bound, or a hop could not be reached. `target` is `scheme://host:port`. */
export class TransportError extends Data.TaggedError("TransportError")<{
  readonly operation: "listen" | "connect"
  readonly target: string
  readonly reason: TransportErrorReason
  readonly cause: unknown
}> {
  override get message(): string {
    return `${this.operation} ${this.target}: ${this.reason}`
  }
}
