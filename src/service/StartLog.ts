/** Log lines at start: version, listeners, limits, and warnings about settings that are probably mistakes. */
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { resolve } from "node:path"
import { demoLink } from "../demo/DemoLink.ts"
import type { LocalSocket } from "../Transport.ts"
import { socketText } from "../transport/SocketText.ts"
import { tellDemo } from "./Backend.ts"
import { descriptorLimits, formatLimits } from "./Descriptors.ts"
import type { ProvidedServices } from "./ProvidedServices.ts"
import type { DemoUser, SettingsShape } from "./Settings.ts"
import { version } from "./Version.ts"
import { warningsOf } from "./Warnings.ts"

/**
 * Logs `serving`, after a line for the file of settings and one for each warning, and before those for the demo user and the
 * demo page. `sockets` are the bound listeners.
 */
export const tellStart = Effect.fnUntraced(function*(
  settings: SettingsShape,
  sockets: ReadonlyArray<LocalSocket>,
  provided: ProvidedServices = {}
): Effect.fn.Return<void, never, FileSystem.FileSystem> {
  const { demo, demoPage, readFrom, relay, tls } = settings
  const limits = Option.getOrUndefined(yield* descriptorLimits)
  const warnings = yield* warningsOf(settings, provided)
  if (readFrom !== undefined) {
    yield* Effect.logInfo("settings read from a file").pipe(Effect.annotateLogs({ file: resolve(readFrom) }))
  }
  for (const warning of warnings) yield* Effect.logWarning(warning)
  yield* Effect.logInfo("serving").pipe(Effect.annotateLogs({
    version,
    node: process.versions.node,
    listeners: sockets.map(socketText).join(" "),
    relays: peersText(relay, tls.ca !== undefined),
    maxConnections: relay.limits?.connections,
    maxSessions: relay.sessions.maxSessions,
    descriptors: limits === undefined ? "unknown" : formatLimits(limits)
  }))
  yield* tellDemo(demo)
  if (demoPage) yield* tellPage(demo, sockets)
})

/** Logged last, where it is easily seen. Contains the generated password of the demo user, never a configured one. */
const tellPage = (demo: DemoUser | undefined, sockets: ReadonlyArray<LocalSocket>): Effect.Effect<void> => {
  const user = demo && { username: demo.username, password: Redacted.value(demo.password) }
  return Effect.logInfo("to try the relay, open this page in two tabs of a browser").pipe(
    Effect.annotateLogs({ page: demoLink(sockets, user) })
  )
}

/** The admitted relays, for the log. */
const peersText = ({ relayAddresses, relayPeers = "none" }: SettingsShape["relay"], hasCa: boolean): string => {
  if (relayPeers === "none") return "none (MSRP_RELAY_PEERS says which)"
  const peers = relayPeers === "all"
    ? `all whose certificates ${hasCa ? "MSRP_TLS_CA vouches for" : "are of a public authority"}`
    : relayPeers.join(", ")
  return relayAddresses === undefined ? peers : `${peers}; from ${relayAddresses.join(", ")}`
}
