/** The messages of the page. */
import { millis, octets } from "../../admin/page/numbers.ts"
import type { MsrpErrorReason } from "../../browser/index.ts"

/** The part of a `MsrpError` that messages are made from. */
export interface Fault {
  readonly reason: MsrpErrorReason
  readonly status?: number | undefined
}

/** The fault in a value that was thrown, if it is a `MsrpError`. */
export const faultOf = (error: unknown): Fault | undefined =>
  error instanceof Error && error.name === "MsrpError" && "reason" in error
    ? error as unknown as Fault
    : undefined

/** Why the login failed. */
export const loginProblem = (fault: Fault | undefined): string => {
  switch (fault?.reason) {
    case "Login":
      return fault.status === 401 || fault.status === 403
        ? "The relay does not accept this user name and password. Each start without configuration makes a new password: open the link that the relay printed last."
        : `The relay does not let you in${fault.status === undefined ? "" : ` (${fault.status})`}.`
    case "Unreachable":
      return "The relay does not answer. Does it still run?"
    case "Unproven":
      return "What answers does not know your password, so it is not the relay that you want. Nothing was sent to it."
    case "Timeout":
      return "The relay did not answer within 30 seconds."
    case "Lost":
      return "The connection was lost before you were logged in."
    case "Invalid":
      return "A user name or password like this cannot be sent."
    default:
      return "Logging in did not work."
  }
}

/** Why a message or file was not sent. */
export const sendProblem = (fault: Fault | undefined): string => {
  switch (fault?.reason) {
    case "Aborted":
      return "stopped"
    case "Lost":
      return "not sent: the connection was lost"
    case "Timeout":
      return "not sent: no answer within 30 seconds"
    case "Unreadable":
      return "not sent: the file cannot be read any more"
    case "Refused":
    case "Failed":
      return refusal(fault.status)
    default:
      return "not sent"
  }
}

const refusal = (status: number | undefined): string => {
  switch (status) {
    case 413:
      return "refused by the other tab"
    case 415:
      return "not sent: the other tab does not take this kind of file"
    case 408:
      return "not delivered: the other tab did not answer in time"
    case 403:
      return "not sent: the relay does not allow it"
    case 481:
      return "not delivered: the other tab is not there any more"
    default:
      return `not delivered${status === undefined ? "" : ` (${status})`}`
  }
}

/** Why there is no receipt for a message that the relay has accepted. */
export const receiptProblem = (fault: Fault | undefined): string => {
  switch (fault?.reason) {
    case "Failed":
      return refusal(fault.status)
    case "Lost":
      return "taken by the relay; the connection was lost before the receipt"
    default:
      return "taken by the relay; no receipt has come"
  }
}

/** Why a file is incomplete. */
export const receiveProblem = (fault: Fault | undefined): string => {
  switch (fault?.reason) {
    case "GivenUp":
      return "stopped by its sender"
    case "Dropped":
    case "Aborted":
      return "you have refused it"
    case "Lost":
      return "the connection was lost before all of it had come"
    default:
      return "it did not come whole"
  }
}

export const TAKEN = "taken by the relay"

/** `time` is in milliseconds, from sending to the receipt. */
export const deliveredIn = (time: number): string =>
  time < 1000 ? `delivered in ${millis(time)} ms` : `delivered in ${(time / 1000).toFixed(1)} s`

/** The progress of a file. `time` is in milliseconds. */
export const howFar = (done: number, total: number, time: number): string => {
  const part = total === 0 ? 100 : Math.min(100, Math.floor(done / total * 100))
  return time < 300 || done === 0 ? `${part} %` : `${part} % · ${octets(done / time * 1000)}/s`
}

/** A complete file, and its speed. `time` is in milliseconds. */
export const inAll = (size: number, time: number): string =>
  time < 50 ? "all of it is here" : `all of it is here · ${octets(size / time * 1000)}/s`

/** `seconds` until the next attempt. */
export const nextTry = (seconds: number): string =>
  seconds <= 0 ? "Trying again now" : `Next try in ${Math.ceil(seconds)} s`
