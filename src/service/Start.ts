/** What is logged when the service has started: what it is, where it listens, what bounds it, and what is most likely not meant. */
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { resolve } from "node:path"
import { demoLink } from "../demo/DemoLink.ts"
import type { LocalSocket } from "../Transport.ts"
import { BACKLOG } from "../transport/Bind.ts"
import { socketText } from "../transport/SocketText.ts"
import { tellDemo } from "./Backend.ts"
import { backlogWarning } from "./Backlog.ts"
import { descriptorLimits, descriptorNeed, descriptorWarning, formatLimits } from "./Descriptors.ts"
import type { DemoUser, SettingsShape } from "./Settings.ts"
import { version } from "./Version.ts"

/**
 * One line, after those for a file of settings and for each warning; others for a demo user and the demo page. `sockets` are
 * those that are bound.
 */
export const tellStart = Effect.fnUntraced(function*(
  settings: SettingsShape,
  sockets: ReadonlyArray<LocalSocket>
): Effect.fn.Return<void, never, FileSystem.FileSystem> {
  const { demo, demoPage, readFrom, relay, tls, transport } = settings
  const limits = Option.getOrUndefined(yield* descriptorLimits)
  const backlog = yield* backlogWarning(BACKLOG, transport.maxConnections ?? Infinity)
  const descriptors = limits === undefined ? undefined : descriptorWarning(limits, descriptorNeed(settings))
  const warnings = [...settings.warnings, ...Option.toArray(backlog), ...descriptors === undefined ? [] : [descriptors]]
  if (readFrom !== undefined) {
    yield* Effect.logInfo("settings read from a file").pipe(Effect.annotateLogs({ file: resolve(readFrom) }))
  }
  for (const warning of warnings) yield* Effect.logWarning(warning)
  yield* Effect.logInfo("serving").pipe(Effect.annotateLogs({
    version,
    node: process.versions.node,
    listeners: sockets.map(socketText).join(" "),
    relays: peersText(relay.relayPeers, tls.ca !== undefined),
    maxConnections: relay.limits?.connections,
    maxSessions: relay.sessions.maxSessions,
    descriptors: limits === undefined ? "unknown" : formatLimits(limits)
  }))
  yield* tellDemo(demo)
  if (demoPage) yield* tellPage(demo, sockets)
})

/** Last, where it is seen. The password is in it that was told already, and never one that was configured. */
const tellPage = (demo: DemoUser | undefined, sockets: ReadonlyArray<LocalSocket>): Effect.Effect<void> => {
  const user = demo && { username: demo.username, password: Redacted.value(demo.password) }
  return Effect.logInfo("to try the relay, open this page in two tabs of a browser").pipe(
    Effect.annotateLogs({ page: demoLink(sockets, user) })
  )
}

/** Which other relays are admitted. */
const peersText = (peers: SettingsShape["relay"]["relayPeers"] = "none", hasCa: boolean): string =>
  peers === "none"
    ? "none (MSRP_RELAY_PEERS says which)"
    : peers === "all"
    ? `all whose certificates ${hasCa ? "MSRP_TLS_CA vouches for" : "are of a public authority"}`
    : peers.join(", ")
