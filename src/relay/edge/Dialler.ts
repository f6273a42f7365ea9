/** Connections to next hops: where to, from which local socket, and one address after the other. */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { isIP } from "node:net"
import { monotonicMillis } from "../../clock/Monotonic.ts"
import type { BoundedLog } from "../../logging/BoundedLog.ts"
import { kindOf } from "../../logging/ErrorKind.ts"
import { dialSeconds, measured } from "../../metrics/Seconds.ts"
import { targetOf } from "../../protocol/Uri.ts"
import { ResolverError, targetsOf } from "../../Resolver.ts"
import { Asker } from "../../resolver/Asker.ts"
import type { SocketSelector } from "../../SocketSelector.ts"
import type { ConnectOptions } from "../../transport/Connection.ts"
import { TransportError } from "../../transport/TransportError.ts"
import type { TransportShape } from "../../transport/TransportShape.ts"
import type { Dial } from "../rules/Directory.ts"
import type { NextHops } from "../rules/NextHops.ts"
import { userOf } from "../Session.ts"
import type { Dialled } from "../Switchboard.ts"
import type { Journal } from "./Journal.ts"

export interface DiallerOptions {
  readonly transport: TransportShape
  readonly selector: SocketSelector["Service"]
  readonly nextHops: NextHops
  readonly journal: Pick<Journal, "dialled" | "undialled">
  /** Each dial may meet what is broken. */
  readonly log: BoundedLog
}

/** For a selector or resolver of somebody's own, which may never answer: nobody waits longer for a message (RFC 4975 §7.2). */
const ANSWERS_WITHIN = "30 seconds"

/** Makes the connection of a dial, or tells its hop that there is none. */
export const makeDialler = ({ journal, log, nextHops, selector, transport }: DiallerOptions) => {
  const connect = Effect.fnUntraced(function*(hop: Dialled, to: Omit<ConnectOptions, "from">, { source }: Dial) {
    const { host, port, scheme } = to
    const from = yield* selector.select({
      source: source.connection?.remote ?? { host: "", port: 0 },
      protocol: source.connection?.secure === true ? "tls" : "tcp",
      inbound: source.connection?.socket,
      destination: { scheme, host, port }
    }).pipe(Effect.timeout(ANSWERS_WITHIN), Effect.orDie)
    const names = to.serverName === undefined ? [host] : [to.serverName, host]
    const admits = (address: string): boolean => nextHops.admitsAddress(names, address, port)
    yield* transport.connect({ ...to, from, admits }, (connection) => hop.dialled(connection))
  })

  const attempt = Effect.fnUntraced(function*(hop: Dialled, dial: Dial) {
    const { localName, relay, uri } = dial
    // Only an AUTH names no port.
    const targets = yield* Effect.timeoutOrElse(targetsOf(uri), {
      duration: ANSWERS_WITHIN,
      orElse: () => Effect.fail(new ResolverError({ name: uri.host, code: "ETIMEOUT" }))
    })
    // The certificate must be for the name in the URI, whatever host serves it (RFC 4976 §9.2).
    const serverName = isIP(uri.host) === 0 ? uri.host : undefined
    yield* Effect.firstSuccessOf(
      targets.map((target) => connect(hop, { ...target, scheme: uri.scheme, relay, serverName, localName }, dial))
    )
  })

  /** A span of its own: what waits for it are requests of many. */
  const traced = (hop: Dialled, dial: Dial) => {
    const { relay, session: { realm, user }, uri: { host, port, scheme } } = dial
    const attributes = { scheme, host, ...(port === undefined ? {} : { port }), relay }
    return measured(attempt(hop, dial), dialSeconds, resultOf).pipe(
      Effect.provideService(Asker, userOf({ username: user, realm })),
      Effect.onExit((exit) => Effect.annotateCurrentSpan("result", resultOf(exit) ?? "interrupted")),
      Effect.withSpan("msrp.dial", { root: true, kind: "client", attributes }, { captureStackTrace: false })
    )
  }

  /** A defect may quote the URI. */
  const told = (cause: Cause.Cause<unknown>, { source: { connection } }: Dial) => {
    const what = "a connection could not be made"
    const kind = kindOf(Cause.squash(cause))
    const line = Effect.annotateLogs(Effect.logError(what), { cause: kind })
    return log(line, `${what}: ${kind}`, connection?.remote.host ?? "")
  }

  return Effect.fnUntraced(function*(dial: Dial, hop: Dialled, ended: () => void): Effect.fn.Return<void> {
    const clock = yield* Clock.Clock
    const began = monotonicMillis(clock)
    // Not before the request that wants it waits there, or nobody would answer that when it fails at once.
    yield* Effect.andThen(Effect.yieldNow, traced(hop, dial)).pipe(
      Effect.ensuring(Effect.sync(ended)),
      Effect.matchCauseEffect({
        onSuccess: () => Effect.sync(() => journal.dialled(dial, hop, monotonicMillis(clock) - began)),
        onFailure: (cause) =>
          Effect.suspend(() => {
            hop.unreachable(isForbidden(cause) ? 403 : 408)
            journal.undialled(dial, reasonOf(cause, dial), monotonicMillis(clock) - began)
            return isOfNetwork(cause) ? Effect.void : told(cause, dial)
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

/** Whoever asks for what policy forbids is told so: another try is of no use (RFC 4975 §10.3). */
const isForbidden = (cause: Cause.Cause<unknown>): boolean => {
  const error = Cause.squash(cause)
  return error instanceof TransportError && error.reason === "Forbidden"
}

/** The network's doing, and no defect: clients name the hosts. */
const isOfNetwork = (cause: Cause.Cause<unknown>): boolean => {
  const error = Cause.squash(cause)
  return Cause.hasInterruptsOnly(cause) || error instanceof TransportError || error instanceof ResolverError
}

/** Where it was is told beside it, and would leave less room for why; but SRV records may lead elsewhere. */
const reasonOf = (cause: Cause.Cause<unknown>, { uri }: Dial): string => {
  if (Cause.hasInterruptsOnly(cause)) return "the relay stops"
  const error = Cause.squash(cause)
  if (error instanceof TransportError && error.target === targetOf(uri)) return error.why
  return error instanceof TransportError || error instanceof ResolverError ? error.message : "a defect"
}
