/** Metrics of connections, dials, TLS and logins. */
import { connectionEnds, loginResults } from "../relay/Counters.ts"
import { sessionEnds } from "../relay/Session.ts"
import type { HandshakeFailure, ProxyHeaderFailure, WebSocketRefusal } from "../transport/TransportFacts.ts"
import { transportNames } from "../transport/TransportName.ts"
import { changingGauge, counter, counterBy, counterByTwo, type Family, gauge } from "./Family.ts"

/** The names of a closed set; the record makes a missing name a type error. */
const namesOf = <Name extends string>(names: Readonly<Record<Name, true>>): ReadonlyArray<Name> =>
  Object.keys(names) as Array<Name>

const proxyHeaderFailures = namesOf<ProxyHeaderFailure>({
  malformed: true,
  "timed out": true,
  "too many": true
})

const webSocketRefusals = namesOf<WebSocketRefusal>({
  400: true,
  403: true,
  404: true,
  405: true,
  426: true,
  505: true,
  "timed out": true,
  "too many": true
})

const handshakeFailures = namesOf<HandshakeFailure>({
  "wrong protocol": true,
  "timed out": true,
  "too many": true,
  failed: true
})

export const connections: ReadonlyArray<Family> = [
  gauge(
    "connections",
    "Connections that are open, or in the making to a next hop",
    ({ relay }) => relay.gauges().connections
  ),
  gauge("connections_allowed", "Connections that there may be", ({ relay }) => relay.bounds().connections),
  counterByTwo(
    "connections_opened_total",
    "Connections that came in, and that were made to next hops",
    ["direction", ["in", "out"]],
    ["transport", transportNames],
    ({ relay: { counters } }, direction, transport) =>
      (direction === "in" ? counters.acceptedBy : counters.dialledBy)[transport]
  ),
  counterBy(
    "connections_closed_total",
    "Connections that are gone, by why: what the relay closed them for, in the words of its log, or whose doing it was",
    ["reason", connectionEnds],
    ({ relay }, reason) => relay.counters.closed[reason]
  ),
  counter(
    "connections_turned_away_total",
    "Connections that a listener closed at once, since it had as many as it may",
    ({ relay }) => relay.transportFacts?.turnedAway ?? 0
  ),
  counter(
    "accepts_failed_total",
    "Times that a connection could not be accepted, as when descriptors run out",
    ({ relay }) => relay.transportFacts?.acceptsFailed ?? 0
  ),
  counterBy(
    "proxy_headers_refused_total",
    "Connections that were to begin with the PROXY protocol and did not say for whom they are, by what was wrong",
    ["reason", proxyHeaderFailures],
    ({ relay }, reason) => relay.transportFacts?.proxyHeadersRefused[reason] ?? 0
  ),
  counterBy(
    "websockets_refused_total",
    "WebSockets that were not opened, by the HTTP status that was answered, or why none was",
    ["reason", webSocketRefusals],
    ({ relay }, reason) => relay.transportFacts?.webSocketsRefused[reason] ?? 0
  ),
  counterBy(
    "dials_total",
    "Next hops that were to be connected to, by what came of it",
    ["result", ["connected", "failed", "forbidden", "over limit"]],
    ({ relay: { counters } }, result) => {
      switch (result) {
        case "connected":
          return counters.connectionsDialled
        case "failed":
          return counters.dialsFailed - counters.dialsForbiddenLate
        case "forbidden":
          return counters.dialsForbidden
        case "over limit":
          return counters.dialsOverLimit
      }
    }
  )
]

export const tls: ReadonlyArray<Family> = [
  counterBy(
    "tls_handshakes_failed_total",
    "TLS handshakes of those who connect that came to nothing",
    ["reason", handshakeFailures],
    ({ relay }, reason) => relay.transportFacts?.handshakesFailed[reason] ?? 0
  ),
  changingGauge(
    "certificate_expiry_timestamp_seconds",
    "When a certificate of this relay expires, in seconds since 1970",
    ["certificate", "the first name that it is for"],
    ({ relay }) =>
      new Map((relay.transportFacts?.certificates() ?? []).map(({ expires, name }) => [name, expires] as const))
  ),
  changingGauge(
    "certificate_start_timestamp_seconds",
    "Since when a certificate of this relay is valid, in seconds since 1970; with its expiry, the length of its life",
    ["certificate", "the first name that it is for"],
    ({ relay }) =>
      new Map(
        (relay.transportFacts?.certificates() ?? []).flatMap(({ begins, name }) =>
          begins === undefined ? [] : [[name, begins] as const]
        )
      )
  )
]

export const sessions: ReadonlyArray<Family> = [
  gauge("sessions", "Session URIs that are valid", ({ relay }) => relay.gauges().sessions),
  gauge(
    "sessions_allowed",
    "Session URIs that there may be; NaN where the repository does not say",
    ({ relay }) => relay.bounds().sessions ?? Number.NaN
  ),
  gauge(
    "draining",
    "1 while no session URIs are handed out because the relay drains or stops, otherwise 0",
    ({ relay }) => relay.phase() === "serving" ? 0 : 1
  ),
  changingGauge(
    "users_backend_up",
    "1 if this backend of users works, 0 if its last look-up failed or its file cannot be used and has the users from before",
    ["backend", "its kind, as `MSRP_CREDENTIALS` names it"],
    ({ program: { backends } }) =>
      new Map(Array.from(backends?.() ?? [], ([backend, works]) => [backend, works ? 1 : 0]))
  ),
  counter("sessions_granted_total", "Session URIs that were handed out", ({ relay }) => relay.counters.authsGranted),
  counterBy(
    "sessions_ended_total",
    "Session URIs that are over, by why, in the words of the log",
    ["reason", sessionEnds],
    ({ relay }, reason) => relay.counters.sessionsEnded[reason]
  ),
  counter(
    "sessions_refused_total",
    "AUTHs with right credentials that got no session, since there were too many",
    ({ relay }) => relay.counters.sessionsRefused
  ),
  counterBy(
    "logins_total",
    "AUTHs for this relay, by what became of them: each login begins with one that is challenged",
    ["result", loginResults],
    ({ relay }, result) => relay.counters.logins[result]
  )
]
