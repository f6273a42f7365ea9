/**
 * A relay beside your own HTTP server, which serves the metrics for Prometheus and the state of the relay. Run it:
 * `node examples/beside-http.ts`, then `curl localhost:8080/metrics`.
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
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
import { CONTENT_TYPE } from "msrp-relay/Metrics"
import { createServer } from "node:http"

const listen = [{ scheme: "msrp", host: "localhost", port: Number(process.env["PORT"] ?? 2855) }] as const

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

const Routes = HttpRouter.use((router) =>
  Effect.gen(function*() {
    const relay = yield* Relay
    const { prometheus } = yield* Metrics
    yield* router.add(
      "GET",
      "/metrics",
      Effect.map(prometheus, (page) => HttpServerResponse.text(page, { contentType: CONTENT_TYPE }))
    )
    yield* router.add(
      "GET",
      "/state",
      Effect.sync(() => HttpServerResponse.jsonUnsafe({ phase: relay.phase(), ...relay.gauges() }))
    )
  })
)

const HttpLive = HttpRouter.serve(Routes).pipe(
  Layer.provide(
    NodeHttpServer.layer(createServer, { host: "localhost", port: Number(process.env["HTTP_PORT"] ?? 8080) })
  )
)

// Both use the same relay, so the HTTP server reports on the one that serves.
const Main = HttpLive.pipe(Layer.provide(Metrics.layer), Layer.provide(RelayLive))

NodeRuntime.runMain(Layer.launch(Main))
