/** The service, as its admin API sees it. */
import * as Clock from "effect/Clock"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { AdminParts, notAvailable } from "../../Admin.ts"
import { defaultRelayLimits, Relay } from "../../Relay.ts"
import type { SettingsShape } from "../Settings.ts"
import { version } from "../Version.ts"
import { settingsInForce } from "./Config.ts"

// NOT AVAILABLE YET: what answers 501 until it is plugged in.
const missing = (what: string) => Effect.fail(notAvailable(what))

export const layerParts = (settings: SettingsShape): Layer.Layer<AdminParts, never, Relay> =>
  Layer.effect(
    AdminParts,
    Effect.gen(function*() {
      const { counters, gauges, operator } = yield* Relay
      const provider = yield* ConfigProvider.ConfigProvider
      const since = yield* Clock.currentTimeMillis
      const { connections = defaultRelayLimits.connections } = settings.relay.limits ?? {}
      return {
        version,
        operator,
        counters,
        gauges: () => {
          const { bufferedOctets, connections, sessions } = gauges()
          return { bufferedOctets, connections, sessions }
        },
        limits: { connections, sessions: settings.sessions.maxSessions ?? Infinity },
        settings: Effect.provideService(settingsInForce, ConfigProvider.ConfigProvider, provider),
        phase: Effect.succeed({ phase: "serving" as const, since }),
        drain: missing("draining"),
        undrain: missing("draining"),
        logLevel: missing("a log level to change"),
        setLogLevel: () => missing("a log level to change"),
        reload: missing("reloading"),
        metrics: missing("metrics"),
        trace: () => missing("traces"),
        page: () => missing("a status page")
      }
    })
  )
