import type { Broken } from "../protocol/Head.ts"
import type { CloseReason } from "../transport/Connection.ts"

/** Why the relay closes a connection, in the words of the log. */
export type Closing =
  /** Framing is lost. */
  | Broken
  | "AUTH without TLS"
  | "certificate has expired"
  | "ended by the operator"
  | "no successful request in probation"
  | "not used for a long time"
  | "no session uses it"
  | "no sign of life"
  | "request for another relay"
  | "takes no octets"
  | "the relay drains"
  | "the relay stops"
  | "too many connections"
  | "too many failed AUTHs"
  | "too many requests without success in probation"
  | "too much in probation"

/** The same for the peer, where the transport can say so. */
const told: Readonly<Record<Exclude<Closing, Broken>, CloseReason>> = {
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
  "too many requests without success in probation": "policy",
  "too much in probation": "policy"
}

/** Framing is lost for all that is not there. */
export const closeReasonOf = (closing: Closing): CloseReason =>
  (told as Partial<Record<Closing, CloseReason>>)[closing] ?? "protocol"
