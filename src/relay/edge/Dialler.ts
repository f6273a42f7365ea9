/** Makes connections to next hops: finds the addresses, chooses the local socket, and tries one address after the other. */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { isIP } from "node:net"
import { monotonicMillis } from "../../clock/Monotonic.ts"
import { exitWithin } from "../../clock/TimeLimit.ts"
import type { BoundedLog } from "../../logging/BoundedLog.ts"
import { kindOf } from "../../logging/ErrorKind.ts"
import { dialSeconds, measured } from "../../metrics/Seconds.ts"
import { ranges } from "../../options/Ranges.ts"
import { targetOf } from "../../protocol/Uri.ts"
import { ResolverError, targetsOf } from "../../Resolver.ts"
import { Asker } from "../../resolver/Asker.ts"
import type { SocketSelector } from "../../SocketSelector.ts"
import type { Accept, ConnectOptions, Receiver } from "../../transport/Connection.ts"
import { failure } from "../../transport/Failure.ts"
import { TransportError } from "../../transport/TransportError.ts"
import type { TransportShape } from "../../transport/TransportShape.ts"
import type { Dial } from "../rules/Directory.ts"
import type { NextHops } from "../rules/NextHops.ts"
import { userOf } from "../Session.ts"
import type { Dialled } from "../Switchboard.ts"
import type { Journal } from "./Journal.ts"

interface DiallerOptions {
  readonly transport: TransportShape
  readonly selector: SocketSelector["Service"]
  readonly nextHops: NextHops
  readonly journal: Pick<Journal, "dialled" | "undialled">
  /** Bounded, because every dial may meet the same fault. */
  readonly log: BoundedLog
}

/**
 * For a custom selector, which may never answer, and for all that is done for a URI without a port: many targets may be found for it.
 * No message waits longer for a response (RFC 4975 §7.2).
 */
const ANSWERS_WITHIN = "30 seconds"
/** For a custom transport, which may never end: longer than the time that a transport of sockets may be given. */
const CONNECTS_WITHIN = (ranges.connectTimeout[1] + 1) * 1000

/** The receiver of a connection that is not wanted any more. */
const NOBODY: Receiver = { bytes: () => {}, closed: () => {} }

/** Makes the connection of a dial, or reports to its hop why there is none. */
export const makeDialler = ({ journal, log, nextHops, selector, transport }: DiallerOptions) => {
  const connect = Effect.fnUntraced(function*(hop: Dialled, to: Omit<ConnectOptions, "from">, { source }: Dial) {
    const { host, port, scheme } = to
    const asked = selector.select({
      source: source.connection?.remote ?? { host: "", port: 0 },
      protocol: source.connection?.secure === true ? "tls" : "tcp",
      inbound: source.connection?.socket,
      destination: { scheme, host, port }
    })
    const from = yield* (yield* exitWithin(asked, ANSWERS_WITHIN)) ?? Effect.die(new Cause.TimeoutError())
    const names = to.serverName === undefined ? [host] : [to.serverName, host]
    const admits = (address: string): boolean => nextHops.admitsAddress(names, address, port)
    const options = { ...to, from, admits }
    let isOver = false
    const accept: Accept = (connection) => {
      if (!isOver) return hop.dialled(connection)
      // The transport could not be interrupted, and nobody waits for its connection.
      connection.destroy()
      return NOBODY
    }
    const connected = yield* exitWithin(transport.connect(options, accept), CONNECTS_WITHIN).pipe(
      Effect.ensuring(Effect.sync(() => isOver = true))
    )
    yield* connected ?? Effect.fail(failure("connect", options, "Timeout", undefined))
  })

  const attempt = Effect.fnUntraced(function*(hop: Dialled, dial: Dial) {
    const { localName, relay, uri } = dial
    const targets = yield* targetsOf(uri)
    // The certificate must be for the name in the URI, whatever host serves it (RFC 4976 §9.2).
    const serverName = isIP(uri.host) === 0 ? uri.host : undefined
    yield* Effect.firstSuccessOf(
      targets.map((target) => connect(hop, { ...target, scheme: uri.scheme, relay, serverName, localName }, dial))
    )
  })

  /** SRV records are asked for where the URI has no port, which only an AUTH may leave out. */
  const limited = Effect.fnUntraced(function*(hop: Dialled, dial: Dial) {
    if (dial.uri.port !== undefined) return yield* attempt(hop, dial)
    const made = yield* exitWithin(attempt(hop, dial), ANSWERS_WITHIN)
    yield* made ?? Effect.fail(new ResolverError({ name: dial.uri.host, code: "ETIMEOUT" }))
  })

  /** In a root span, because requests of many traces may wait for the connection. */
  const traced = (hop: Dialled, dial: Dial) => {
    const { relay, session: { realm, user }, uri: { host, port, scheme } } = dial
    const attributes = { scheme, host, ...(port === undefined ? {} : { port }), relay }
    return measured(limited(hop, dial), dialSeconds, resultOf).pipe(
      Effect.provideService(Asker, userOf({ username: user, realm })),
      Effect.onExit((exit) => Effect.annotateCurrentSpan("result", resultOf(exit) ?? "interrupted")),
      Effect.withSpan("msrp.dial", { root: true, kind: "client", attributes }, { captureStackTrace: false })
    )
  }

  /** Only the kind of a defect, because its message may quote the URI. */
  const logDefect = (cause: Cause.Cause<unknown>, { source: { connection } }: Dial) => {
    const what = "a connection could not be made"
    const kind = kindOf(Cause.squash(cause))
    const line = Effect.annotateLogs(Effect.logError(what), { cause: kind })
    return log(line, `${what}: ${kind}`, connection?.remote.host ?? "")
  }

  return Effect.fnUntraced(function*(dial: Dial, hop: Dialled, ended: () => void): Effect.fn.Return<void> {
    const clock = yield* Clock.Clock
    const began = monotonicMillis(clock)
    // Begins once the request waits at the hop: if the dial failed before that, the request would get no answer.
    yield* Effect.andThen(Effect.yieldNow, traced(hop, dial)).pipe(
      Effect.ensuring(Effect.sync(ended)),
      Effect.matchCauseEffect({
        onSuccess: () => Effect.sync(() => journal.dialled(dial, hop, monotonicMillis(clock) - began)),
        onFailure: (cause) =>
          Effect.suspend(() => {
            hop.unreachable(isForbidden(cause) ? 403 : 408)
            journal.undialled(dial, reasonOf(cause, dial), monotonicMillis(clock) - began)
            return isOfNetwork(cause) ? Effect.void : logDefect(cause, dial)
          })
      })
    )
  })
}

const resultOf = (exit: Exit.Exit<unknown, unknown>) =>
  Exit.isSuccess(exit)
    ? "connected"
    : Cause.hasInterruptsOnly(exit.cause)
    ? undefined
    : isForbidden(exit.cause)
    ? "forbidden"
    : "failed"

/** Policy forbids it: the request is answered 403, because another try is of no use (RFC 4975 §10.3). */
const isForbidden = (cause: Cause.Cause<unknown>): boolean => {
  const error = Cause.squash(cause)
  return error instanceof TransportError && error.reason === "Forbidden"
}

/** Whether it failed because of the network and not by a defect. It is not logged at error, because clients name the hosts. */
const isOfNetwork = (cause: Cause.Cause<unknown>): boolean => {
  const error = Cause.squash(cause)
  return Cause.hasInterruptsOnly(cause) || error instanceof TransportError || error instanceof ResolverError
}

/** Without the target where it is that of the URI, which the event names already; SRV records may lead elsewhere. */
const reasonOf = (cause: Cause.Cause<unknown>, { uri }: Dial): string => {
  if (Cause.hasInterruptsOnly(cause)) return "the relay stops"
  const error = Cause.squash(cause)
  if (error instanceof TransportError && error.target === targetOf(uri)) return error.why
  return error instanceof TransportError || error instanceof ResolverError ? error.message : "a defect"
}
