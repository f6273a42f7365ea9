/** The meaning of each event, what to do about it, and its fields. The tables of docs/log.md are made of this. */
import type { EventMessage } from "./RelayEvent.ts"

/** All fields. Durations are in seconds, sizes in octets. */
export const fieldMeanings = {
  connection: "Number of the connection, given once: that of the user, where a session is named",
  session: "What stands for the session-id (which is a secret): 12 hexadecimal digits",
  user: "Whose session it is; of a login that failed, who the client says it is",
  realm: "Of that user",
  remote: "Address and port of the peer of that connection",
  transport: "`tcp`, `tls`, `ws` (WebSocket) or `wss`: what the peer speaks, behind a proxy what it speaks to that",
  listener: "The listener that the connection came in on",
  direction: "`sent`: the user's own request; `received`: one for him",
  party: "Of a connection whose user is named: `owner` when he has logged in on it, `peer` when it has written to him",
  peer: "Address and port of who writes to the user",
  peerConnection: "Number of the connection of who writes to the user",
  peerUser: "User on the other side, if he has a session here as well",
  peerSession: "His session",
  method: "`SEND`, `REPORT`, `AUTH`, or `another`",
  status: "Status of RFC 4975 and RFC 4976 that the client hears, if it wants to hear anything",
  target: "The next hop",
  reason: "Why",
  connectionEnd: "Why the connection ended whose end was that of the session",
  dialled: "Number of the connection that was made",
  expires: "Seconds until the session ends unless it is renewed",
  seconds: "How long it lasted, or took",
  sent: "SENDs of the user that were passed on; a chunk is one",
  octetsSent: "Octets of their bodies",
  received: "SENDs for the user that were passed on",
  octetsReceived: "Octets of their bodies",
  failures: "Messages from or to him that did not arrive or were cut off, and requests that were refused",
  kinds: "What failed, each with how often",
  octetsIn: "Octets that came in",
  octetsOut: "Octets that were handed to the connection",
  times: "In the history only: how many such events there were; the other fields are those of the last"
} as const

export type FieldName = keyof typeof fieldMeanings

export interface EventRow {
  /** The level, and when it is another one. */
  readonly level: string
  readonly meaning: string
  readonly advice: string
  /** Fields that every such event has, in their order; `sometimes`: those that it has when they are known. */
  readonly always: ReadonlyArray<FieldName>
  readonly sometimes: ReadonlyArray<FieldName>
}

const session = ["connection", "session", "user", "realm", "remote", "transport"] as const
const other = ["peer", "peerConnection", "peerUser", "peerSession"] as const
const quiet = "info for the first of its kind in a session, debug for others and for strangers"

export const eventTable: Readonly<Record<EventMessage, EventRow>> = {
  "login granted": {
    level: "info",
    meaning: "A client has proved who it is and has a session URI. A client renews its session by another one.",
    advice: "Nothing.",
    always: [...session, "expires"],
    sometimes: ["listener"]
  },
  "login failed": {
    level: "info",
    meaning:
      "An AUTH that had credentials, or may not even ask, got no session. A first AUTH without credentials is no failure.",
    advice: "See [Why a login failed](#why-a-login-failed).",
    always: ["connection", "realm", "remote", "transport", "status", "reason"],
    sometimes: ["user", "listener"]
  },
  "peer bound": {
    level: "info",
    meaning: "Somebody has written to a session for the first time: from now on only that connection may.",
    advice: "Nothing.",
    always: [...session, "peer", "peerConnection"],
    sometimes: ["listener"]
  },
  "request refused": {
    level: quiet,
    meaning: "A request went no further than this relay.",
    advice: "See [Why a request was refused](#why-a-request-was-refused).",
    always: ["connection", "remote", "transport", "method", "status"],
    sometimes: ["session", "user", "realm", "listener", "direction", ...other, "target", "reason"]
  },
  "message not delivered": {
    level: quiet,
    meaning:
      "A message, or a request of the `method`, that was accepted did not arrive; its sender got a REPORT or the answer, unless he wants none or is gone.",
    advice: "See [Why a message did not arrive](#why-a-message-did-not-arrive).",
    always: [...session, "direction", "status", "reason"],
    sometimes: ["listener", ...other, "method"]
  },
  "message cut off": {
    level: quiet,
    meaning: "The connection of a sender closed in the middle of a chunk; its receiver saw the chunk end with `#`.",
    advice: "The sender's client or network: look for the end of its connection.",
    always: [...session, "direction", "reason"],
    sometimes: ["listener", ...other]
  },
  "dial succeeded": {
    level: "info",
    meaning: "The relay has connected to a next hop, for the user who wanted to send there.",
    advice: "Nothing.",
    always: [...session, "target", "dialled", "seconds"],
    sometimes: ["listener"]
  },
  "dial failed": {
    level: "info",
    meaning: "A next hop could not be connected to; what waits for it fails.",
    advice: "The reason says whether it is the name, the network, the certificate there, or what the settings forbid.",
    always: [...session, "target", "reason", "seconds"],
    sometimes: ["listener"]
  },
  "session ended": {
    level: "info",
    meaning: "A session is over; what passed, and what failed in it.",
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
    level: "info; debug when its peer closed it and it had no session",
    meaning: "A connection is gone.",
    advice: "See [Why a connection ended](#why-a-connection-ended).",
    always: ["connection", "remote", "transport", "reason", "seconds", "octetsIn", "octetsOut"],
    sometimes: ["session", "user", "realm", "listener", "party"]
  }
}
