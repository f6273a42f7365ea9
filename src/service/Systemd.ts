/**
 * Notifications to systemd (sd_notify(3)): readiness, reload, stop, status, and the watchdog. Node cannot send to a
 * Unix datagram socket, so they are sent by systemd's own program `systemd-notify`. Without NOTIFY_SOCKET nothing is
 * sent.
 *
 * Senders do not wait: a fiber of the layer sends messages one after the other. Without the layer they are discarded.
 */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Semaphore from "effect/Semaphore"
import { execFile } from "node:child_process"
import { wordsOf } from "../net/ErrorCode.ts"

const PROGRAM = "systemd-notify"

/** Maximum number of queued messages; further ones are dropped. */
export const MAX_WAITING = 16

/** Maximum length of a status in characters. */
const MAX_STATUS = 256

/** Milliseconds for one message, including systemd's acknowledgement. */
const TIME_LIMIT = 10_000

/** Time to send the remaining messages when the layer closes. */
const LAST_WORDS = "5 seconds"

/** Assignments as in sd_notify(3). A new status or watchdog message replaces one that is queued. */
interface Message {
  readonly kind: "state" | "status" | "watchdog"
  readonly assignments: ReadonlyArray<string>
}

interface Notifier {
  /** The last status. */
  status: string
  /** Whether `STOPPING` was sent, after which only watchdog messages are. */
  ending: boolean
  readonly tell: (message: Message) => void
}

const Notifier = Context.Reference<Notifier>("msrp-relay/service/Systemd", {
  defaultValue: () => ({ status: "", ending: false, tell: () => {} })
})

const telling = (make: (notifier: Notifier) => Message): Effect.Effect<void> =>
  Effect.map(Notifier, (notifier) => {
    // After `STOPPING`, systemd would take `READY` as a sign that the service goes on.
    if (!notifier.ending) notifier.tell(make(notifier))
  })

/** The service is ready, after its start or after `reloading`. Repeats the last status. */
export const ready: Effect.Effect<void> = telling(({ status }) => ({
  kind: "state",
  // Under npm, the main process is npm, but this process must receive the signals.
  assignments: [`MAINPID=${process.pid}`, "READY=1", `STATUS=${status}`]
}))

/** The settings are being read again. `ready` must follow, whether the reload succeeds or not. */
export const reloading: Effect.Effect<void> = telling(() => ({
  kind: "state",
  assignments: ["RELOADING=1", `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`, "STATUS=reading the settings again"]
}))

/** The service ends within this time. Extends TimeoutStopSec, so that systemd does not kill it before. */
export const stopping = (atMost: Duration.Duration): Effect.Effect<void> =>
  telling((notifier) => {
    notifier.ending = true
    const micros = Math.ceil(Duration.toMillis(atMost) * 1000)
    return { kind: "state", assignments: ["STOPPING=1", `EXTEND_TIMEOUT_USEC=${micros}`, "STATUS=stopping"] }
  })

/** The status that `systemctl status` shows: one line of at most 256 characters. */
export const status = (text: string): Effect.Effect<void> =>
  telling((notifier) => {
    notifier.status = text.replace(/\p{Cc}+/gu, " ").slice(0, MAX_STATUS)
    return { kind: "status", assignments: [`STATUS=${notifier.status}`] }
  })

/** Why a notification was not sent. `lasting`: whether later ones will fail as well. */
export class NotifyError extends Data.TaggedError("NotifyError")<{
  readonly reason: string
  readonly lasting: boolean
}> {}

type Environment = Readonly<Record<string, string | undefined>>

interface SystemdOptions {
  /** Must contain NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID as systemd sets them, and PATH. */
  readonly env: Environment
  /** Sends assignments. Default: `systemd-notify`. */
  readonly send?: ((assignments: ReadonlyArray<string>) => Effect.Effect<void, NotifyError>) | undefined
}

/** Sends notifications to systemd, and watchdog messages, while the layer lives. */
export const layerWith = ({ env, send = program(env) }: SystemdOptions): Layer.Layer<never> =>
  (env["NOTIFY_SOCKET"] ?? "") === "" ? Layer.empty : Layer.effect(Notifier, make(send, watchdogOf(env)))

/** The layer with the environment of this process. */
export const layer: Layer.Layer<never> = Layer.suspend(() => layerWith({ env: process.env }))

const make = Effect.fnUntraced(function*(
  send: NonNullable<SystemdOptions["send"]>,
  watchdog: Duration.Duration | undefined
) {
  const waiting: Array<Message> = []
  const bell = yield* Queue.dropping<void>(1)
  const turn = yield* Semaphore.make(1)
  let warned = false
  let lost = false

  const tell = (message: Message): void => {
    if (lost) return
    const same = message.kind === "state" ? -1 : waiting.findIndex(({ kind }) => kind === message.kind)
    if (same !== -1) waiting[same] = message
    else if (waiting.length < MAX_WAITING) waiting.push(message)
    Queue.offerUnsafe(bell, undefined)
  }

  const sendAll = turn.withPermit(Effect.gen(function*() {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      yield* send(next.assignments).pipe(
        Effect.tap(() => Effect.sync(() => warned = false)),
        Effect.catch(({ lasting, reason }) => {
          if (lasting) {
            lost = true
            waiting.length = 0
          }
          if (warned) return Effect.void
          warned = true
          const what = lasting ? "systemd cannot be told how the service is" : "systemd was not told how the service is"
          return Effect.annotateLogs(Effect.logWarning(what), { reason })
        })
      )
    }
  }))

  yield* Effect.forkScoped(Effect.forever(Effect.andThen(Queue.take(bell), sendAll)))
  yield* Effect.addFinalizer(() => Effect.ignore(Effect.timeout(sendAll, LAST_WORDS)))
  if (watchdog !== undefined) {
    // The fiber runs only while the event loop turns, which is what the watchdog should detect.
    const alive = Effect.sync(() => tell({ kind: "watchdog", assignments: ["WATCHDOG=1"] }))
    yield* Effect.forkScoped(Effect.forever(Effect.delay(alive, watchdog)))
  }
  return { status: "", ending: false, tell }
})

/** Interval of watchdog messages: half of the timeout (sd_watchdog_enabled(3)). */
const watchdogOf = ({ WATCHDOG_PID: pid, WATCHDOG_USEC: usec = "" }: Environment): Duration.Duration | undefined =>
  /^[1-9]\d{0,15}$/.test(usec) && [undefined, "", String(process.pid), String(process.ppid)].includes(pid)
    ? Duration.millis(Number(usec) / 2000)
    : undefined

/** Runs `systemd-notify`, which exits when systemd has read the message. */
const program =
  ({ NOTIFY_SOCKET, PATH }: Environment) => (assignments: ReadonlyArray<string>): Effect.Effect<void, NotifyError> =>
    Effect.callback((resume) => {
      const fail = (reason: string, lasting = false) => resume(Effect.fail(new NotifyError({ reason, lasting })))
      const child = execFile(
        PROGRAM,
        [...assignments],
        { env: { NOTIFY_SOCKET, PATH }, timeout: TIME_LIMIT, killSignal: "SIGKILL", maxBuffer: 4096 },
        (error) => {
          if (error === null) resume(Effect.void)
          else if (error.code === "ENOENT") fail(`there is no program ${PROGRAM} in PATH`, true)
          else if (typeof error.code === "number") fail(`${PROGRAM} ended with ${error.code}`)
          else fail(error.killed === true ? `${PROGRAM} took too long` : `${PROGRAM}: ${wordsOf(error)}`)
        }
      )
      return Effect.sync(() => void child.kill("SIGKILL"))
    })
