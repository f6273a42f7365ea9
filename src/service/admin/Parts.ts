/** The parts of the service that its admin API reads and controls. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { AdminParts, type AdminPartsShape, notAvailable } from "../../Admin.ts"
import { makeHealth } from "../../admin/Health.ts"
import { type LogLevelName, logLevels } from "../../admin/Model.ts"
import { makeLoopDelay, reasonsNotReady } from "../../admin/Readiness.ts"
import * as StatusFeed from "../../admin/StatusFeed.ts"
import * as StatusPage from "../../admin/StatusPage.ts"
import { LogCounters } from "../../logging/LogCounters.ts"
import { LogLevels } from "../../logging/LogLevels.ts"
import { Metrics } from "../../Metrics.ts"
import { canonicalHost } from "../../protocol/Uri.ts"
import { defaultRelayLimits, Relay } from "../../Relay.ts"
import { socketText } from "../../transport/SocketText.ts"
import type { LiveUsers } from "../Backend.ts"
import type { LiveSettings } from "../LiveSettings.ts"
import { Reload } from "../Reload.ts"
import * as Systemd from "../Systemd.ts"
import { version } from "../Version.ts"
import { makeBackendDelay } from "./BackendDelay.ts"
import { settingsInForce } from "./Config.ts"
import { traceLines } from "./TraceLines.ts"
import { unusableOf } from "./Unusable.ts"
import { makeEndUser } from "./UserEnd.ts"

type Needs = Relay | Metrics | Reload

export const layerParts = (live: LiveSettings): Layer.Layer<AdminParts, never, Needs> =>
  Layer.effect(AdminParts, make(live))

const make = Effect.fnUntraced(
  function*(live: LiveSettings): Effect.fn.Return<AdminPartsShape, never, Needs | Scope.Scope> {
    const relay = yield* Relay
    const { counters, gauges, operator } = relay
    const { prometheus } = yield* Metrics
    const { reload } = yield* Reload
    const levels = yield* LogLevels
    const log = yield* LogCounters
    // HTTP requests run with another context.
    const own = yield* Effect.context()
    const tell = (what: Effect.Effect<void>): Effect.Effect<void> => Effect.provideContext(what, own)
    const scope = yield* Effect.scope

    const phase = Effect.sync(() => ({ phase: relay.phase(), since: relay.phaseSince() }))
    const realms = (): ReadonlyArray<string> => {
      const { authRealm, uris } = live.settings.relay
      return authRealm === undefined ? [...new Set(uris.map(({ host }) => canonicalHost(host)))] : [authRealm]
    }
    const certificates = certificatesOf(relay)
    const noLevel = notAvailable("a log level that can change")

    const loopDelay = yield* makeLoopDelay

    const parts: Omit<AdminPartsShape, "page"> = {
      version,
      operator: {
        ...operator,
        inTurns: { ...operator.inTurns, endUser: makeEndUser(operator, live.users.credentials, realms) }
      },
      counters,
      gauges: () => {
        const { bufferedOctets, connections, sessions } = gauges()
        return { bufferedOctets, connections, sessions }
      },
      memory: relay.memory,
      get limits() {
        const { limits: { connections = defaultRelayLimits.connections } = {}, sessions } = live.settings.relay
        return { connections, sessions: sessions.maxSessions ?? Infinity }
      },
      settings: Effect.sync(() => settingsInForce(Redacted.value(live.settings.texts))),
      acceptFault: relay.transportFacts?.acceptFault,
      phase,
      users: live.users.backends,
      certificates,
      logLinesLost: () => log.lost,
      // The drain continues even if the client that requested it has disconnected.
      drain: relay.drain.pipe(
        Effect.forkIn(scope, { startImmediately: true }),
        Effect.andThen(tell(Systemd.status("draining"))),
        Effect.andThen(phase)
      ),
      undrain: relay.undrain.pipe(Effect.andThen(tell(Systemd.status("serving"))), Effect.andThen(phase)),
      logLevel: levels === undefined ? Effect.fail(noLevel) : Effect.sync(() => nameOf(levels.level)),
      setLogLevel: (level) =>
        levels === undefined ? Effect.fail(noLevel) : Effect.sync(() => {
          levels.level = severities[level]
        }),
      reload: tell(Systemd.reloading).pipe(
        Effect.andThen(reload),
        Effect.ensuring(tell(Systemd.ready)),
        Effect.map(({ changed, problems, restart, warnings }) => ({
          changed,
          needsRestart: restart,
          problems: problems.map(({ problem, variable }) => ({ setting: variable, problem })),
          warnings
        }))
      ),
      metrics: prometheus,
      trace: ({ realm, seconds, user }) =>
        Effect.succeed(traceLines(
          relay.trace({
            users: user === undefined ? "*" : [user],
            realm,
            duration: seconds === undefined ? undefined : seconds * 1000
          }),
          tell
        ))
    }
    const notReady = () => reasonsNotReady({ phase: relay.phase() }, parts, loopDelay())
    // Not by a spread, which would read the limits now and keep them.
    return Object.assign(parts, { page: yield* makePage(relay, live.users.backends, certificates, log, notReady) })
  }
)

const certificatesOf = ({ transportFacts }: Relay["Service"]): AdminPartsShape["certificates"] =>
  transportFacts === undefined ?
    undefined :
    () => transportFacts.certificates().map(({ expires, name }) => ({ names: [name], notAfter: expires * 1000 }))

/** What has been wrong for longest, of each kind. */
const faultsOf = (backends: ReturnType<LiveUsers["backends"]>) => {
  const longest = (faults: ReadonlyArray<{ readonly since: number; readonly reason: string } | undefined>) => {
    const [first] = faults.filter((fault) => fault !== undefined).toSorted((a, b) => a.since - b.since)
    return first === undefined ? undefined : { since: first.since, reason: first.reason }
  }
  return {
    down: longest(backends.map(({ unavailable }) => unavailable)),
    outdated: longest(backends.map(({ outdated }) => outdated)),
    unusable: backends.flatMap(unusableOf)
  }
}

const makePage = Effect.fnUntraced(
  function*(
    { counters, gauges, operator, phase, sockets, transportFacts }: Relay["Service"],
    backends: LiveUsers["backends"],
    certificates: AdminPartsShape["certificates"],
    log: LogCounters,
    notReady: () => ReadonlyArray<string>
  ) {
    const delay = makeBackendDelay(yield* Effect.context())
    const health = yield* makeHealth({
      certificates,
      logLinesLost: () => log.lost,
      backend: () => ({ ...delay(), ...faultsOf(backends()) })
    })
    const feed = yield* StatusFeed.make({
      version,
      listeners: sockets.map(socketText),
      phase,
      notReady,
      counters,
      gauges,
      operator,
      health,
      transportFacts
    })
    const page = yield* StatusPage.make(feed)
    return () => page.response
  }
)

/** Log levels: names of the API and those of Effect. */
const severities = {
  all: "All",
  trace: "Trace",
  debug: "Debug",
  info: "Info",
  warn: "Warn",
  error: "Error",
  fatal: "Fatal",
  none: "None"
} as const

const nameOf = (severity: string): LogLevelName => logLevels.find((name) => severities[name] === severity) ?? "info"
