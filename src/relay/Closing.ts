import type { Broken } from "../protocol/Head.ts"

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
