/** The error of a transport. */
import * as Data from "effect/Data"
import { codeOf, wordsOf } from "../net/ErrorCode.ts"
import { CertificateFault } from "./CertificateFault.ts"
import { OpeningFault } from "./websocket/OpeningFault.ts"

/**
 * Why a socket could not be bound, or a hop could not be reached.
 *
 * - `Refused`: nothing listens there
 * - `Timeout`: no answer, or no finished TLS handshake, within the limit
 * - `Unreachable`: no route to the address
 * - `NameNotFound`: the host name has no address, or the look-up failed
 * - `Certificate`: the certificate of the peer was not accepted, or the own certificate is missing or unusable
 * - `WebSocket`: the peer refused the WebSocket, or does not speak WebSocket; see `cause.status`
 * - `Forbidden`: the host has no address that may be connected to
 * - `AddressInUse`: another program holds the address and port
 * - `NotPermitted`: the user of the process may not use this port, or the system forbids the connection
 * - `NoSuchAddress`: the machine does not have the address to listen on or to connect from
 * - `OutOfDescriptors`: the process or the system has no file descriptors left, or none that are not reserved for the relay itself
 * - `Other`: anything else, see `cause`
 *
 * @category errors
 * @since 0.1.0
 */
export type TransportErrorReason =
  | "Refused"
  | "Timeout"
  | "Unreachable"
  | "NameNotFound"
  | "Certificate"
  | "WebSocket"
  | "Forbidden"
  | "AddressInUse"
  | "NotPermitted"
  | "NoSuchAddress"
  | "OutOfDescriptors"
  | "Other"

/** The reasons in words, for causes without a code. */
const words: Readonly<Record<TransportErrorReason, string>> = {
  Refused: "nobody listens there",
  Timeout: "no answer in time",
  Unreachable: "there is no route to it",
  NameNotFound: "the host name cannot be resolved",
  Certificate: "a certificate or key is missing or cannot be used",
  WebSocket: "no WebSocket can be opened there",
  Forbidden: "connections to it are forbidden",
  AddressInUse: "another program holds the address and port",
  NotPermitted: "this user may not do that",
  NoSuchAddress: "this machine has no such address",
  OutOfDescriptors: "there are no file descriptors left for it",
  Other: "it failed"
}

/** For example, from a loopback address to another machine. */
const NO_WAY = "it cannot be reached from the local address (EINVAL)"

/**
 * A socket could not be bound, or a hop could not be reached. `target` is `scheme://host:port`, with the path behind it for a WebSocket.
 *
 * @category errors
 * @since 0.1.0
 */
export class TransportError extends Data.TaggedError("TransportError")<{
  readonly operation: "listen" | "connect"
  readonly target: string
  readonly reason: TransportErrorReason
  readonly cause: unknown
}> {
  override get message(): string {
    return `${this.operation} ${this.target}: ${this.why}`
  }

  /** The message without operation and target. */
  get why(): string {
    const { cause, operation, reason } = this
    if (cause instanceof CertificateFault || cause instanceof OpeningFault) return cause.message
    if (operation === "connect" && codeOf(cause) === "EINVAL") return NO_WAY
    return codeOf(cause) === "unknown" ? words[reason] : reason === "Certificate"
      ? `${words[reason]} (${codeOf(cause)})`
      : wordsOf(cause)
  }
}
