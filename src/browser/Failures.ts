/** Converts the errors of the client to those of the page. */
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { ClientError, ClientErrorReason } from "../client/ClientError.ts"
import type { TransportError } from "../Transport.ts"
import { MsrpError, type MsrpErrorReason } from "./MsrpError.ts"

const reasonOf: Readonly<Record<ClientErrorReason, MsrpErrorReason>> = {
  Closed: "Lost",
  Timeout: "Timeout",
  Refused: "Refused",
  Reported: "Failed",
  NoReport: "NoReceipt",
  Aborted: "GivenUp",
  Dropped: "Dropped",
  Unproven: "Unproven",
  Answer: "Answer",
  Offline: "Lost",
  NoCredentials: "Login",
  Size: "Unreadable",
  Options: "Invalid"
}

export const fromClient = ({ message, reason, status }: ClientError): MsrpError =>
  new MsrpError(reasonOf[reason], message, { status })

export const fromLogin = ({ message, reason, status }: ClientError): MsrpError =>
  new MsrpError(reason === "Refused" ? "Login" : reasonOf[reason], message, { status })

/** A browser does not say why a WebSocket could not be opened. */
export const fromTransport = ({ reason, target }: TransportError): MsrpError =>
  new MsrpError(
    "Unreachable",
    `no WebSocket can be opened at ${target}: ` +
      (reason === "Timeout"
        ? "no answer in time"
        : reason === "Forbidden"
        ? "this page may not"
        : "nobody listens there, its certificate is not trusted, or it does not let this page in")
  )

export const aborted = (signal: AbortSignal | undefined): MsrpError =>
  new MsrpError("Aborted", "it was aborted", { cause: signal?.reason })

export const isMsrpError = (error: unknown): error is MsrpError => error instanceof MsrpError

/** Runs an effect as a promise, which rejects with a `MsrpError`. `signal` interrupts it. */
export const promised = async <A, R>(
  context: Context.Context<R>,
  effect: Effect.Effect<A, MsrpError, R>,
  signal?: AbortSignal
): Promise<A> => {
  if (signal?.aborted === true) throw aborted(signal)
  const exit = await Effect.runPromiseExitWith(context)(effect, signal === undefined ? {} : { signal })
  if (Exit.isSuccess(exit)) return exit.value
  if (Cause.hasInterruptsOnly(exit.cause)) throw aborted(signal)
  throw Cause.squash(exit.cause)
}
