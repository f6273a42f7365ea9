/** What went wrong with a socket of Node's, as a `TransportError`. */
import { codeOf } from "../net/ErrorCode.ts"
import { addressText, type ConnectOptions, type LocalSocket } from "./Connection.ts"
import { TransportError, type TransportErrorReason } from "./TransportError.ts"

const reasons = new Map<string, TransportErrorReason>([
  ["ECONNREFUSED", "Refused"],
  ["ETIMEDOUT", "Timeout"],
  ["EHOSTUNREACH", "Unreachable"],
  ["ENETUNREACH", "Unreachable"],
  ["EHOSTDOWN", "Unreachable"],
  ["ENETDOWN", "Unreachable"],
  ["ENOTFOUND", "NameNotFound"],
  ["ENODATA", "NameNotFound"],
  ["EAI_AGAIN", "NameNotFound"],
  ["EADDRINUSE", "AddressInUse"],
  ["EACCES", "NotPermitted"],
  ["EPERM", "NotPermitted"],
  ["EADDRNOTAVAIL", "NoSuchAddress"],
  ["EAFNOSUPPORT", "NoSuchAddress"],
  ["EMFILE", "OutOfDescriptors"],
  ["ENFILE", "OutOfDescriptors"]
])

export const reasonOf = (cause: unknown): TransportErrorReason => reasons.get(codeOf(cause)) ?? "Other"

/** As an operator writes it: `msrps://[::1]:2855`, `wss://192.0.2.1:443/msrp`. */
export const targetOf = (socket: ConnectOptions | LocalSocket): string => {
  const { host, port, scheme, transport } = socket
  const path = "path" in socket && socket.path !== "/" ? socket.path ?? "" : ""
  const name = transport === "ws" ? scheme === "msrps" ? "wss" : "ws" : scheme
  return `${name}://${addressText({ host, port })}${path}`
}

export const failure = (
  operation: TransportError["operation"],
  socket: ConnectOptions | LocalSocket,
  reason: TransportErrorReason,
  cause: unknown
): TransportError => new TransportError({ operation, target: targetOf(socket), reason, cause })
