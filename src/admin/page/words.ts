/** Words for events, in the language of people who help users, not of the standard. */
import type { StatusEvent } from "../status/Shapes.ts"
import { duration, octets } from "./numbers.ts"

export interface Told {
  readonly text: string
  /** `fault` if something did not work for a user. */
  readonly tone: "calm" | "fault"
}

/** Words for the reasons why a connection or a session ended. */
export const endings: Readonly<Record<string, string>> = {
  "expired": "it expired because the client did not renew it",
  "its connection closed": "the client's connection closed",
  "its relay is gone": "the relay that the client used is gone",
  "its user was removed": "the user was removed",
  "ended by the operator": "an operator ended it",
  "another one in its place": "the client started a new one in its place",
  "it was not granted": "the login did not succeed",
  "the relay stops": "this relay was stopped",
  "the relay drains": "this relay is being taken out of service",
  "closed by its peer": "the other side closed it",
  "a defect of the relay": "this relay has a defect",
  "AUTH without TLS": "the client wanted to log in without encryption",
  "certificate has expired": "the certificate of the other relay has expired",
  "no successful request in probation": "nobody logged in on it",
  "not used for a long time": "nobody used it for a long time",
  "no session uses it": "no session needs it any more",
  "request for another relay": "the client has mistaken this relay for another one",
  "takes no octets": "the client accepted no data for too long: its network is stuck, or it is gone",
  "too many connections": "there were too many connections",
  "too many failed AUTHs": "too many logins failed on it",
  "too many requests without success in probation": "it made too many requests without a login",
  "too many unfinished frames": "its user has begun too many requests that do not end",
  "too much in probation": "it sent too much without a login",
  "not MSRP": "the client does not speak MSRP",
  "not WebSocket": "the client sent invalid WebSocket frames",
  "more than a frame in a message": "the client put more than one MSRP frame into a WebSocket message",
  "not a whole frame in a message": "the client put part of an MSRP frame into a WebSocket message",
  "no sign of life": "the client has vanished",
  "malformed start line": "the client sent invalid MSRP",
  "start line too long": "the client sent a line that is too long",
  "header line too long": "the client sent a line that is too long",
  "header section too long": "the client sent headers that are too long",
  "too many headers": "the client sent too many headers"
}

/** Words for the reasons why a login failed. */
export const logins: Readonly<Record<string, string>> = {
  "wrong credentials": "the password (or the user name) is wrong",
  "stored for another algorithm": "the stored secret of this user is not for the digest algorithm that the client used",
  "another realm": "the client used a different realm than this relay asked for",
  "algorithm not offered": "the client uses a digest algorithm that this relay does not offer",
  "Malformed Authorization": "the client sent invalid MSRP",
  "Not the URI of To-Path": "the address in the client's credentials differs from that in its request",
  "Expires is no number": "the client sent invalid MSRP",
  "its relay cannot be connected to: a URI without a port":
    "the relay that the client uses has an address without a port",
  "its own URI has no port": "the client uses an address without a port",
  "AUTH without TLS": "the client wanted to log in without encryption",
  "an AUTH through a peer that is not an admitted relay": "the relay that the client uses is not admitted here",
  "an AUTH through a peer without a trusted certificate":
    "the relay that the client uses has no certificate that is trusted here",
  "the relay drains": "this relay is being taken out of service",
  "not Digest": "the client uses a login method that this relay does not support",
  "too many failures before": "there were too many wrong passwords before; wait a while, and try again",
  "the credentials cannot be looked up": "the list of users is not available",
  "too many AUTHs of its relay are being decided": "too many clients of the same relay log in at once",
  "the session cannot be kept": "the list of sessions is not available",
  "it could not be decided": "the list of users did not answer in time",
  "too many sessions": "there are too many sessions",
  "Expires out of bounds": "the client asked for a session that is too short or too long",
  "its connection closed": "the client disconnected before the login was complete"
}

/** Words for the reasons why a message did not arrive, or a request was refused. */
export const losses: Readonly<Record<string, string>> = {
  "no answer in time": "the other side did not confirm it in time",
  "its receiver's answer is malformed, or for somebody else": "the other side sent an invalid answer",
  "its sender does not read its answers": "its sender accepts no data",
  "its receiver takes nothing": "the other side accepts no data",
  "its receiver is too slow, and others wait for what is behind it": "the other side is too slow",
  "its session is faster than it may be": "its sender sends too fast",
  "there is no such session, or it is over": "there is no such session (any more)",
  "there is no such session of the receiver, or it is over": "the other side's session is over",
  "the session has a peer on another connection": "the session is in use on another connection",
  "a request that says it comes from this relay": "it claims to come from another user of this relay",
  "the connection to its receiver closed": "the other side's connection closed",
  "its next hop cannot be reached": "the other side cannot be reached",
  "its next hop may not be reached": "the other side's address is one that this relay may not connect to",
  "its session has ended": "the session was over",
  "its To-Path does not lead to the owner of the session": "its path does not lead to the owner of the session",
  "the relay stops": "this relay was stopped",
  "its receiver refused it": "the other side refused it",
  "its receiver wants no more of it": "the other side wants no more of it",
  "a part of it did not arrive": "a part of it did not arrive before",
  "malformed": "the client sent invalid MSRP",
  "too long": "it is too long",
  "over a limit": "it is larger than this relay allows",
  "too much has no answer": "too many messages before it are not confirmed by the other side",
  "its receiver is not connected, and cannot be dialled": "the other side is not connected",
  "connections to the next hop are forbidden": "the other side's address is one that this relay may not connect to",
  "the user has too many next hops": "the user has too many connections to others"
}

/** Words for a status without a reason. */
const statuses: Readonly<Record<string, string>> = {
  400: "the client sent invalid MSRP",
  401: "the password (or the user name) is wrong",
  403: "it is not allowed",
  408: "there was no answer in time",
  413: "it is too long, or its receiver does not want the rest",
  415: "the other side cannot show that kind of content",
  423: "the requested time is not allowed",
  481: "there is no such session (any more)",
  501: "this relay does not know this kind of request",
  506: "the session is in use on another connection"
}

const field = ({ fields }: StatusEvent, name: string): string | undefined => {
  const value = fields[name]
  return value === undefined ? undefined : String(value)
}

const number = ({ fields }: StatusEvent, name: string): number => {
  const value = fields[name]
  return typeof value === "number" ? value : 0
}

/** A reason with an error code of the system, such as `failed: ECONNRESET`. */
const NETWORK = /^failed: (.+)$/

/** A reason that repeats the target, which the sentence already names. */
const CONNECT = /^connect \S+: (.+)$/

const because = (event: StatusEvent, known: Readonly<Record<string, string>>): string => {
  const reason = field(event, "reason")
  const status = field(event, "status")
  const told = reason === undefined ? undefined : Object.hasOwn(known, reason) ? known[reason] : undefined
  const failure = reason === undefined ? undefined : NETWORK.exec(reason)?.[1]
  const why = told ?? (failure === undefined ? undefined : `the network failed (${failure})`) ??
    (status !== undefined && Object.hasOwn(statuses, status) ? statuses[status] : undefined) ??
    (reason === undefined ? undefined : CONNECT.exec(reason)?.[1] ?? reason)
  return why === undefined ? "" : `: ${why}`
}

const isReceived = (event: StatusEvent): boolean => field(event, "direction") === "received"

const whose = (event: StatusEvent): string => isReceived(event) ? " for this user" : ""

/** Why a message was lost. If it was for the user, "the other side" in the reason is the user's own side. */
const lost = (event: StatusEvent): string => {
  const why = because(event, losses)
  return isReceived(event) ? why.replace("the other side", "this user's side") : why
}

const seconds = (event: StatusEvent): string => duration(number(event, "seconds") * 1000)

const methods: Readonly<Record<string, string>> = {
  SEND: "A message",
  REPORT: "A confirmation of delivery",
  AUTH: "A login",
  another: "A request"
}

const sentences: Readonly<Record<string, (event: StatusEvent) => Told>> = {
  "login granted": () => calm("Logged in"),
  "login failed": (event) => fault(`Could not log in${because(event, logins)}`),
  "peer bound": () => calm("The other side of a conversation wrote for the first time"),
  "request refused": (event) =>
    fault(`${methods[field(event, "method") ?? ""] ?? "A request"}${whose(event)} was refused${lost(event)}`),
  "message not delivered": (event) =>
    fault(`${methods[field(event, "method") ?? ""] ?? "A message"}${whose(event)} did not arrive${lost(event)}`),
  "message cut off": () => fault("A message broke off in the middle: the connection of its sender closed"),
  "dial succeeded": (event) => calm(`Connected to ${field(event, "target") ?? "another server"}`),
  "dial failed": (event) =>
    fault(`Could not connect to ${field(event, "target") ?? "another server"}${because(event, {})}`),
  "session ended": (event) => {
    const connection = field(event, "connectionEnd")
    const why = connection !== undefined && Object.hasOwn(endings, connection)
      ? `: ${connection === "closed by its peer" ? "the client closed its connection" : endings[connection]}`
      : connection !== undefined && NETWORK.test(connection)
      ? `: the network failed (${NETWORK.exec(connection)![1]})`
      : because(event, endings)
    return {
      text: `Session ended after ${seconds(event)}${why}`,
      tone: number(event, "failures") > 0 ? "fault" : "calm"
    }
  },
  "connection ended": (event) => calm(`Connection ended after ${seconds(event)}${because(event, endings)}`)
}

const calm = (text: string): Told => ({ text, tone: "calm" })
const fault = (text: string): Told => ({ text, tone: "fault" })

/** The sentence for an event; an event that the page does not know gets the relay's message. */
export const sentenceOf = (event: StatusEvent): Told => {
  const { level, message } = event
  const told = Object.hasOwn(sentences, message)
    ? sentences[message]!(event)
    : { text: `${message}${because(event, {})}`, tone: level === "Warn" ? "fault" as const : "calm" as const }
  const times = number(event, "times")
  return times > 1 ? { ...told, text: `${told.text} (${times} times)` } : told
}

/** Details that help to find an event in the log, such as its user, address, reason and session. */
export const detailsOf = (event: StatusEvent, withUser: boolean): string => {
  const { message } = event
  const [status, reason, kinds, target] = ["status", "reason", "kinds", "target"].map((name) => field(event, name))
  const ended = message === "session ended"
  return [
    withUser ? field(event, "user") : undefined,
    field(event, "remote"),
    ended
      ? `sent ${octets(number(event, "octetsSent"))}, received ${octets(number(event, "octetsReceived"))}`
      : undefined,
    message === "connection ended" && target !== undefined ? `addressed ${target}` : undefined,
    ended && kinds !== undefined ? `failed: ${kinds}` : undefined,
    status === undefined ? undefined : `status ${status}`,
    reason !== undefined && !ended ? `“${reason}”` : undefined,
    field(event, "session") === undefined ? undefined : `session ${field(event, "session")}`
  ].filter((part) => part !== undefined).join(" · ")
}

/** Words for the counters of problems. */
export const troubles: Readonly<Record<string, string>> = {
  failedAuths: "Logins with a wrong password",
  undecidedAuths: "Logins not decided because the list of users failed",
  sessionsRefused: "Logins refused because of too many sessions",
  dialsFailed: "Failed connections to others",
  dialsForbidden: "Forbidden connections to others",
  dialsOverLimit: "Connections to others beyond the limit",
  refused400: "Refused as malformed (400)",
  refused403: "Refused as not allowed (403)",
  refused408: "Refused as not possible now (408)",
  refused413: "Refused as too long, or part of a message that has failed (413)",
  refused423: "Refused because the requested time is not allowed (423)",
  refused481: "Refused because there is no such session (481)",
  refused501: "Refused as unknown requests (501)",
  refused506: "Refused because the session is in use elsewhere (506)",
  lost: "Messages, confirmations and other requests that did not arrive",
  receiversGivenUp: "Times that a slow receiver was given up",
  sessionsTooFast: "Times that a sender far exceeded the rate of a session",
  receiversStalled: "Connections closed because they accepted no data",
  connectionsTurnedAway: "Connections refused because of too many",
  probationsFailed: "Connections closed because nobody logged in",
  framingLost: "Connections closed because they did not speak MSRP",
  handshakesFailed: "TLS handshakes that failed",
  webSocketsRefused: "WebSockets that were refused",
  proxyHeadersRefused: "Connections of proxies without a valid PROXY header",
  turnedAway: "Connections closed before they were set up",
  acceptsFailed: "Times that no connection could be accepted"
}
