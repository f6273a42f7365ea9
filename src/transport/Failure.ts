/** Makes a `TransportError` of the error of a Node socket. */
import { codeOf } from "../net/ErrorCode.ts"
import type { ConnectOptions, LocalSocket } from "./Connection.ts"
import { socketText } from "./SocketText.ts"
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

export const failure = (
  operation: TransportError["operation"],
  socket: ConnectOptions | LocalSocket,
  reason: TransportErrorReason,
  cause: unknown
): TransportError => new TransportError({ operation, target: socketText(socket), reason, cause })
