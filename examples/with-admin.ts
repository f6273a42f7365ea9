/**
 * A relay with the admin API and its status page, in your own program. Run it: `node examples/with-admin.ts`, open
 * http://localhost:2880/, or `curl localhost:2880/sessions`.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import {
  Authenticator,
  Codec,
  Credentials,
  Metrics,
  passwordUser,
  Relay,
  SessionRepo,
  SocketSelector,
  Transport
} from "msrp-relay"
import * as Admin from "msrp-relay/Admin"

const listen = [{ scheme: "msrp", host: "localhost", port: Number(process.env["PORT"] ?? 2855) }] as const
const address = Admin.parseAdminAddress(`localhost:${process.env["ADMIN_PORT"] ?? 2880}`)!
const version = "own 1.0"

const RelayLive = Relay.layer({ listen }).pipe(
  Layer.provide([
    Transport.layerNode(),
    Codec.layer,
    SessionRepo.layerMemory(),
    SocketSelector.layerDefault(listen),
    Authenticator.layerDigest().pipe(
      Layer.provide(Credentials.layerMemory([passwordUser("alice", Redacted.make("wonderland"))]))
    )
  ])
)

/** The parts that the API works on. Parts that this program does not have are answered 501. */
const Parts = Layer.effect(
  Admin.AdminParts,
  Effect.gen(function*() {
    const relay = yield* Relay
    const { bounds, counters, drain, gauges, memory, operator, phase, phaseSince, sockets, trace, undrain } = relay
    const { prometheus } = yield* Metrics
    const scope = yield* Effect.scope
    const phaseNow = Effect.sync(() => ({ phase: phase(), since: phaseSince() }))
    const listeners = sockets.map(({ host, port, scheme }) => `${scheme}://${host}:${port}`)
    const health = yield* Admin.makeHealth()
    const feed = yield* Admin.makeStatusFeed({ ...relay, version, listeners, health })
    const page = yield* Admin.makeStatusPage(feed)
    return {
      version,
      operator,
      counters,
      gauges,
      memory,
      limits: bounds(),
      phase: phaseNow,
      // The drain goes on when the client that requested it has disconnected.
      drain: drain.pipe(Effect.forkIn(scope, { startImmediately: true }), Effect.andThen(phaseNow)),
      undrain: Effect.andThen(undrain, phaseNow),
      settings: Effect.succeed([]),
      logLevel: Effect.fail(Admin.notAvailable("a log level that can change")),
      setLogLevel: () => Effect.fail(Admin.notAvailable("a log level that can change")),
      reload: Effect.fail(Admin.notAvailable("settings to read again")),
      metrics: prometheus,
      trace: ({ realm, seconds, user }) =>
        Effect.succeed(
          trace({
            users: user === undefined ? "*" : [user],
            realm,
            duration: seconds === undefined ? undefined : `${seconds} seconds`
          }).pipe(Stream.catchTag("TooManyTraces", () => Stream.empty))
        ),
      page: () => page.response
    }
  })
)

// No token, because only this machine has access; for access from other machines use `AdminToken.layerFile(path)`.
const Main = Admin.layer(address).pipe(
  Layer.provide([Parts, Admin.AdminToken.layerNone]),
  Layer.provide(Metrics.layer),
  Layer.provide(RelayLive)
)

NodeRuntime.runMain(Layer.launch(Main))
