/**
 * The service as a process: an MSRP relay (RFC 4976) configured by the environment, with logging, signals and
 * systemd.
 */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import { defaultRelayLimits, Relay } from "../Relay.ts"
import { type End, endOf, tellStopped } from "./EndLog.ts"
import * as Logging from "./Logging.ts"
import { watchPause } from "./PauseWatch.ts"
import { Reload } from "./Reload.ts"
import { layerWith } from "./Service.ts"
import { Settings } from "./Settings.ts"
import { exported } from "./settings/EnvFile.ts"
import { followNpm, hangups, takeSignals } from "./Signals.ts"
import * as Systemd from "./Systemd.ts"

const announce = Effect.andThen(Systemd.status("serving"), Systemd.ready)

/**
 * Seconds beyond the drain for ending: for answers, for peers to close their connections, and for the last log lines.
 */
const LAST = 10

const endInOrder = (tell: (end: End) => void) =>
  Effect.gen(function*() {
    const relay = yield* Relay
    const { settings } = yield* Reload
    const { drain = defaultRelayLimits.drain } = settings().relay.limits ?? {}
    yield* Effect.logInfo("stopping")
    yield* Systemd.stopping(Duration.seconds(drain + LAST))
    tell(yield* endOf(relay))
  })

const service = Effect.gen(function*() {
  // Acquired first, so that it is logged last.
  const tell = yield* tellStopped
  const asked = yield* hangups
  yield* followNpm
  const read = yield* Settings
  const end = yield* Effect.cached(endInOrder(tell))
  const whole = Effect.gen(function*() {
    const { reload } = yield* Reload
    yield* announce
    yield* watchPause.pipe(Effect.forever, Effect.forkScoped)
    yield* Queue.take(asked).pipe(
      Effect.andThen(Effect.ensuring(Effect.andThen(Systemd.reloading, reload), Systemd.ready)),
      Effect.catchCause((cause) => Effect.logError("the reload failed", cause)),
      Effect.forever,
      Effect.forkScoped
    )
    // Registered here, so that hang-ups are handled until the relay has ended, which takes long if it drains.
    yield* Effect.addFinalizer(() => end)
  })
  return Layer.effectDiscard(whole).pipe(Layer.provide(layerWith(read, end)))
})

/** The service with the settings of the environment, until it is interrupted. */
export const main = Effect.andThen(
  takeSignals,
  Effect.andThen(
    exported,
    Layer.launch(Layer.unwrap(service).pipe(Layer.provide(Systemd.layer), Layer.provide(Logging.layerStandardOutput)))
  ).pipe(Effect.provide(Settings.layer), Effect.provide(NodeFileSystem.layer))
)
