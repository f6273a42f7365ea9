/** The `Transport` of one machine of the simulated network. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import * as Net from "node:net"
import { isLoopback, isWildcard } from "../../net/Hosts.ts"
import type { Accept, Address, Connection, ConnectOptions, ListenOptions, LocalSocket } from "../Connection.ts"
import { socketText } from "../SocketText.ts"
import { TransportError, type TransportErrorReason } from "../TransportError.ts"
import type { TransportShape } from "../TransportShape.ts"
import { WebSocketConnection } from "../websocket/WebSocketConnection.ts"
import { closeAll, End } from "./End.ts"
import { latencyOf } from "./Link.ts"
import type { Listener } from "./Listeners.ts"
import type { Host } from "./Machines.ts"
import type { DialOutcome, SimulatedNetwork } from "./SimulatedNetwork.ts"

export const makeTransport = (network: SimulatedNetwork, machine: Host): TransportShape => {
  const listen = (
    socket: LocalSocket,
    accept: Accept,
    { asksForCertificate = false }: ListenOptions = {}
  ): Effect.Effect<LocalSocket, TransportError, Scope.Scope> =>
    Effect.map(
      Effect.acquireRelease(
        Effect.suspend(() => {
          if (network.listeners.taken(machine, socket)) return Effect.fail(failure("listen", socket, "AddressInUse"))
          const bound = socket.port === 0 ? { ...socket, port: network.freePort() } : socket
          const asks = typeof asksForCertificate === "function" ? asksForCertificate : () => asksForCertificate
          const listener: Listener = { socket: bound, machine, accept, asksForCertificate: asks, ends: new Set() }
          network.listeners.add(listener)
          return Effect.succeed(listener)
        }),
        (listener) =>
          Effect.suspend(() => {
            network.listeners.delete(listener)
            return closeAll(listener.ends)
          })
      ),
      (listener) => listener.socket
    )

  const connect = (options: ConnectOptions, accept: Accept): Effect.Effect<Connection, TransportError> =>
    Effect.suspend(() => {
      const answer = network.answerOf(options.host, options.port)
      const delay = latencyOf(network.link, network.random)
      const timeout = Effect.delay(
        Effect.suspend(() => Effect.fail(failure("connect", options, "Timeout"))),
        Duration.millis(network.connectTimeout)
      )
      if (answer === "Silence" || delay > network.connectTimeout) return timeout
      let opened: Connection | undefined
      return Effect.callback<Connection, TransportError>((resume) => {
        let waiting = true
        network.loop.at(network.loop.now() + delay, () => {
          if (!waiting) return
          const result = open(network, machine, options, accept, answer)
          if (typeof result === "string") resume(Effect.fail(failure("connect", options, result)))
          else resume(Effect.succeed(opened = result))
        })
        return Effect.sync(() => {
          waiting = false
        })
      }).pipe(Effect.onExit((exit) => Exit.isSuccess(exit) ? Effect.void : Effect.sync(() => opened?.destroy())))
    })

  return { listen, connect, identity: () => 0, defer: network.loop.defer }
}

/** Opens a connection: makes both ends, and calls `accept` of the listener first. */
const open = (
  network: SimulatedNetwork,
  machine: Host,
  options: ConnectOptions,
  accept: Accept,
  answer: DialOutcome | undefined
): Connection | TransportErrorReason => {
  if (answer !== undefined && answer !== "Mute" && answer !== "Silence") return answer
  const listener = answer === "Mute" ? undefined : listenerOf(network, machine, options)
  if (answer === undefined && listener === undefined) return "Refused"
  const secure = options.scheme === "msrps"
  const name = (options.serverName ?? options.host).toLowerCase()
  const server = listener?.machine ?? network.machines.first
  // A TLS hello on a TCP listener.
  if (secure && listener?.socket.scheme === "msrp") return "Other"
  // The handshake of a WebSocket on a listener without, or something else on one with.
  const isMessages = options.transport === "ws"
  if (listener !== undefined && isMessages !== (listener.socket.transport === "ws")) return "Other"
  if (options.admits?.(Net.isIP(options.host) === 0 ? addressOf(options.host, server) : options.host) === false) {
    return "Forbidden"
  }
  if (secure && server.certificate !== undefined && !server.certificate.includes(name)) return "Certificate"
  const host = Net.isIP(options.host) === 0 ? server.address : options.host
  const from = options.from !== undefined && Net.isIP(options.from.host) !== 0 && !isWildcard(options.from.host)
    ? options.from.host
    : isLoopback(options.host)
    ? "127.0.0.1"
    : machine.address
  const near: Address = { host: from, port: network.freePort() }
  const far: Address = { host, port: options.port }
  const dialled = new End(network, {
    inbound: false,
    secure,
    local: near,
    remote: far,
    socket: options.from,
    peerNames: secure ? server.certificate ?? (Net.isIP(name) === 0 ? [name] : []) : [],
    peerNamesUntil: server.certificateUntil
  })
  const accepted = new End(network, {
    inbound: true,
    secure,
    local: far,
    remote: near,
    socket: listener?.socket,
    peerNames: secure && listener?.asksForCertificate(from) === true ? machine.certificate ?? [] : [],
    peerNamesUntil: machine.certificateUntil
  })
  dialled.join(accepted, undefined)
  if (listener === undefined) accepted.muted()
  else {
    accepted.join(dialled, listener.ends)
    // The first octets on a TLS listener are not TLS.
    if (!secure && listener.socket.scheme === "msrps") accepted.destroy()
    else accepted.start(isMessages ? messages(network, listener.accept, undefined) : listener.accept)
  }
  if (!isMessages) {
    dialled.start(accept)
    return dialled
  }
  let connection: Connection = dialled
  dialled.start(messages(network, (one) => accept(connection = one), () => maskingKey(network)))
  return connection
}

/** Makes the receiver that carries an open WebSocket over a connection. */
const messages =
  ({ loop, piece }: SimulatedNetwork, accept: Accept, key: (() => number) | undefined): Accept => (below) =>
    new WebSocketConnection(below, accept, { defer: loop.defer, key, piece })

const maskingKey = ({ random }: SimulatedNetwork): number => Math.floor(random() * 2 ** 32) | 0

/** The listener that a dial leads to. */
const listenerOf = (network: SimulatedNetwork, dialling: Host, { host, port }: ConnectOptions): Listener | undefined =>
  network.listeners.reached(network.machines.named(host.toLowerCase(), dialling), host, port)

const addressOf = (name: string, { address }: Host): string => isLoopback(name) ? "127.0.0.1" : address

const failure = (
  operation: "listen" | "connect",
  socket: ConnectOptions | LocalSocket,
  reason: TransportErrorReason
): TransportError =>
  new TransportError({ operation, target: socketText(socket), reason, cause: new Error("test network") })
