/** Why the relay closes a connection, in the words of the log. */
import { type Broken, messageFaults, overLimits, startLineFaults } from "../protocol/Broken.ts"
import type { CloseReason } from "../transport/Connection.ts"

/** The relay's own reasons, and the form in which each is sent to the peer, where the transport can carry a reason. */
export const closeReasons = {
  "a defect of the relay": "defect",
  "AUTH without TLS": "policy",
  "certificate has expired": "policy",
  "ended by the operator": "policy",
  "no successful request in probation": "policy",
  "not used for a long time": "done",
  "no session uses it": "done",
  "no sign of life": "done",
  "request for another relay": "policy",
  "takes no octets": "policy",
  "the relay drains": "going away",
  "the relay stops": "going away",
  "too many connections": "overload",
  "too many failed AUTHs": "policy",
  "too many unfinished frames": "policy",
  "too many requests without success in probation": "policy",
  "too much in probation": "policy"
} as const satisfies Readonly<Record<string, CloseReason>>

export type Closing = keyof typeof closeReasons | Broken

/** Every reason, of the relay and of its decoder. */
export const closings: ReadonlyArray<Closing> = [
  ...Object.keys(closeReasons) as Array<keyof typeof closeReasons>,
  ...startLineFaults,
  ...overLimits,
  ...messageFaults
]

/** Lost framing is an error of the protocol. */
export const closeReasonOf = (closing: Closing): CloseReason =>
  (closeReasons as Partial<Record<Closing, CloseReason>>)[closing] ?? "protocol"
