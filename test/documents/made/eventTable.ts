/** The meaning of each event, what to do about it, and its fields. The tables of docs/log.md are made from it. */
import type { EventMessage } from "../../../src/Relay.ts"

/** All fields. Durations are in seconds, sizes in octets. */
export const fieldMeanings = {
  connection:
    "Number of the connection, which is not used again; if the event names a session, the connection of its user",
  session: "Label of the session: 12 hexadecimal digits of the hash of its session-id, which is secret",
  user: "User of the session; for a failed login, the user name that the client sent",
  realm: "Realm of that user",
  remote: "Address and port of the peer of that connection",
  transport:
    "`tcp`, `tls`, `ws` (WebSocket) or `wss` (WebSocket over TLS), as the client uses it; behind a proxy, towards the proxy",
  listener: "Listener on which the connection came in",
  direction: "`sent`: a request from the user; `received`: a request to the user",
  party:
    "Role of a connection with a `user`: `owner` if the user logged in on it, `peer` if it wrote to a session of the user",
  peer: "Address and port of the connection that wrote to the user",
  peerConnection: "Number of the connection that wrote to the user",
  peerUser: "User on the other side, if it has a session on this relay",
  peerSession: "Session of `peerUser`",
  method: "`SEND`, `REPORT`, `AUTH`, or `another`",
  status: "Status code (RFC 4975, RFC 4976), which the client gets if it wants an answer or REPORT",
  target: "Next hop, as scheme, host and port; of `request for another relay`, the relay that the client addresses",
  reason: "Cause",
  connectionEnd: "Why the connection ended, if the session ended with it",
  dialled: "Number of the new connection",
  expires: "Seconds until the session ends unless it is renewed",
  seconds: "Duration",
  sent: "SENDs from the user that were passed on; each chunk counts as one",
  octetsSent: "Octets in the bodies of `sent`",
  received: "SENDs to the user that were passed on; each chunk counts as one",
  octetsReceived: "Octets in the bodies of `received`",
  failures: "Messages from or to the user that were lost or cut off, and requests that were refused",
  kinds: "Number of failures of each kind, the most frequent first",
  octetsIn: "Octets received on the connection",
  octetsOut: "Octets handed to the connection for sending",
  times: "Only in the history: number of such events; the other fields are those of the latest"
} as const

export type FieldName = keyof typeof fieldMeanings

export interface EventRow {
  /** The level, and exceptions from it. */
  readonly level: string
  readonly meaning: string
  readonly advice: string
  /** Fields of every such event, in their order. */
  readonly always: ReadonlyArray<FieldName>
  /** Fields that are present only if they are known. */
  readonly sometimes: ReadonlyArray<FieldName>
}

const session = ["connection", "session", "user", "realm", "remote", "transport"] as const
const other = ["peer", "peerConnection", "peerUser", "peerSession"] as const
const quiet = "info for the first of its kind in a session; debug for further ones, and without a session"

export const eventTable: Readonly<Record<EventMessage, EventRow>> = {
  "login granted": {
    level: "info",
    meaning: "A client has authenticated and has got a session URI. A client renews its session by a further login.",
    advice: "Nothing.",
    always: [...session, "expires"],
    sometimes: ["listener"]
  },
  "login failed": {
    level: "info",
    meaning:
      "An AUTH with credentials, or one that is not allowed at all, was refused. A first AUTH without credentials is not a failure.",
    advice: "See [Why a login failed](#why-a-login-failed).",
    always: ["connection", "realm", "remote", "transport", "status", "reason"],
    sometimes: ["user", "listener"]
  },
  "peer bound": {
    level: "info",
    meaning:
      "A connection has become the peer of a session by writing to it. While it is open, no other connection may do so.",
    advice: "Nothing.",
    always: [...session, "peer", "peerConnection"],
    sometimes: ["listener"]
  },
  "request refused": {
    level: quiet,
    meaning: "This relay has not passed a request on.",
    advice: "See [Why a request was refused](#why-a-request-was-refused).",
    always: ["connection", "remote", "transport", "method", "status"],
    sometimes: ["session", "user", "realm", "listener", "direction", ...other, "target", "reason"]
  },
  "message not delivered": {
    level: quiet,
    meaning:
      "A message that was accepted, or a request with the given `method`, was lost. The sender got a REPORT or an answer, unless it wants none or has disconnected.",
    advice: "See [Why a message did not arrive](#why-a-message-did-not-arrive).",
    always: [...session, "direction", "status", "reason"],
    sometimes: ["listener", ...other, "method"]
  },
  "message cut off": {
    level: quiet,
    meaning:
      "The connection of a sender closed in the middle of a chunk. The receiver got the chunk with the end flag `#`.",
    advice: "Check the sender's client and network: `connection ended` of its connection has the reason.",
    always: [...session, "direction", "reason"],
    sometimes: ["listener", ...other]
  },
  "dial succeeded": {
    level: "info",
    meaning: "The relay has connected to a next hop on behalf of the user.",
    advice: "Nothing.",
    always: [...session, "target", "dialled", "seconds"],
    sometimes: ["listener"]
  },
  "dial failed": {
    level: "info",
    meaning: "The relay could not connect to a next hop. Requests that wait for it fail.",
    advice:
      "The `reason` is about the name, the network, the certificate of the next hop, or a setting that forbids it.",
    always: [...session, "target", "reason", "seconds"],
    sometimes: ["listener"]
  },
  "session ended": {
    level: "info",
    meaning: "A session has ended. The fields have its totals.",
    advice: "See [Why a session ended](#why-a-session-ended).",
    always: [
      ...session,
      "reason",
      "seconds",
      "sent",
      "octetsSent",
      "received",
      "octetsReceived",
      "failures"
    ],
    sometimes: ["listener", "connectionEnd", "kinds"]
  },
  "connection ended": {
    level: "info; debug if it had no session and its peer closed it",
    meaning: "A connection has ended.",
    advice: "See [Why a connection ended](#why-a-connection-ended).",
    always: ["connection", "remote", "transport", "reason", "seconds", "octetsIn", "octetsOut"],
    sometimes: ["session", "user", "realm", "listener", "party", "target"]
  }
}
