/** Metrics and spans reach a collector that the environment names, as they are at each export. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Queue from "effect/Queue"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { once } from "node:events"
import * as Http from "node:http"
import type { AddressInfo } from "node:net"
import * as Telemetry from "../../src/service/Telemetry.ts"
import { logInto } from "../support/log.ts"
import { poll } from "../support/Recorder.ts"
import { recordingTracer } from "../support/spans.ts"

interface Posted {
  readonly path: string
  readonly type: string | undefined
  readonly headers: Http.IncomingHttpHeaders
  readonly body: Buffer
}

/** A collector on loopback, and what is posted to it. */
const collector = Effect.gen(function*() {
  const posted = yield* Queue.unbounded<Posted>()
  const server = Http.createServer(async (request, response) => {
    const parts: Array<Buffer> = []
    for await (const part of request) parts.push(part as Buffer)
    Queue.offerUnsafe(posted, {
      path: request.url!,
      type: request.headers["content-type"],
      headers: request.headers,
      body: Buffer.concat(parts)
    })
    response.end("{}")
  }).listen(0, "127.0.0.1")
  yield* Effect.promise(() => once(server, "listening"))
  yield* Effect.addFinalizer(() => Effect.sync(() => server.close().closeAllConnections()))
  return { posted, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
})

const textOf = ({ body }: Posted) => body.toString("utf8")

const registry = Effect.provideService(Metric.MetricRegistry, new Map())

describe("telemetry", () => {
  it.effect("makes no span where nobody gets it", () => {
    const { seen, tracer } = recordingTracer()
    const nowhere = [{}, { OTEL_EXPORTER_OTLP_ENDPOINT: "http://localhost:4318", OTEL_SDK_DISABLED: "true" }]
    return Effect.gen(function*() {
      for (const env of nowhere) {
        yield* Effect.withSpan(Effect.void, "msrp.auth", { root: true }).pipe(Effect.provide(Telemetry.layerSpans(env)))
      }
      assert.deepStrictEqual(seen().filter(({ name }) => name === "msrp.auth"), [])
    }).pipe(Effect.withTracer(tracer))
  })

  it.live("sends metrics that are fresh each time, and once more at the end, under the service's name", () =>
    Effect.gen(function*() {
      const { posted, url } = yield* collector
      let count = 7
      const context = yield* Effect.context()
      Metric.registerUnsafe(Metric.counter("a_total", { description: "A", incremental: true }), context, {
        get: () => ({ count, incremental: true }),
        update: () => {},
        modify: () => {}
      })
      const values: Array<number> = []
      const take = Effect.map(Queue.take(posted), (one) => {
        assert.strictEqual(one.path, "/v1/metrics")
        assert.strictEqual(one.headers["x-key"], "k")
        const [{ resource, scopeMetrics }] = JSON.parse(textOf(one)).resourceMetrics
        const attributes = new Map(
          resource.attributes.map(({ key, value }: { key: string; value: object }) => [key, Object.values(value)[0]])
        )
        assert.strictEqual(attributes.get("service.name"), "msrp-relay")
        assert.strictEqual(attributes.get("deployment"), "test")
        const sum = scopeMetrics[0].metrics.find(({ name }: { name: string }) => name === "a_total").sum
        assert.isTrue(sum.isMonotonic)
        values.push(sum.dataPoints[0].asDouble)
      })
      yield* Effect.gen(function*() {
        yield* take
        count = 8
        yield* Effect.repeat(take, { until: () => values.at(-1) === 8 })
        count = 9
      }).pipe(Effect.provide(Telemetry.layerMetrics({
        OTEL_EXPORTER_OTLP_ENDPOINT: url,
        OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
        OTEL_EXPORTER_OTLP_HEADERS: "x-key=k",
        OTEL_RESOURCE_ATTRIBUTES: "deployment=test",
        OTEL_METRIC_EXPORT_INTERVAL: "50",
        OTEL_EXPORTER_OTLP_TIMEOUT: ""
      })))
      yield* Effect.repeat(take, { until: () => values.at(-1) === 9 })
      assert.strictEqual(values[0], 7)
    }).pipe(registry))

  it.effect("sends metrics each ten seconds, and spans each five, if nothing else is said", () =>
    Effect.gen(function*() {
      const posted: Array<string> = []
      const fetch: typeof globalThis.fetch = async (input) => {
        posted.push(new URL(input instanceof Request ? input.url : input).pathname)
        return new Response("{}")
      }
      const env = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:4318" }
      yield* Metric.update(Metric.counter("one"), 1)
      yield* Effect.gen(function*() {
        yield* Effect.withSpan(Effect.void, "msrp.auth")
        yield* TestClock.adjust("4999 millis")
        assert.deepStrictEqual(posted, [])
        yield* TestClock.adjust("1 millis")
        assert.deepStrictEqual(posted, ["/v1/traces"])
        yield* TestClock.adjust("4999 millis")
        assert.deepStrictEqual(posted, ["/v1/traces"])
        yield* TestClock.adjust("1 millis")
        assert.deepStrictEqual(posted, ["/v1/traces", "/v1/metrics"])
      }).pipe(
        Effect.provide(Layer.merge(Telemetry.layerMetrics(env), Telemetry.layerSpans(env))),
        Effect.provideService(FetchHttpClient.Fetch, fetch)
      )
    }).pipe(registry))

  it.effect("holds no more for a collector that says nothing than a few requests, however many spans there are", () =>
    Effect.gen(function*() {
      let asked = 0
      const fetch: typeof globalThis.fetch = () => {
        asked++
        return new Promise(() => {})
      }
      yield* Effect.gen(function*() {
        yield* Effect.repeat(Effect.withSpan(Effect.void, "msrp.auth"), { times: 10_000 })
        yield* TestClock.adjust("9 seconds")
        assert.strictEqual(asked, Telemetry.MAX_UNDER_WAY)
        // Those beyond them have been given up, and no span is taken for a minute.
        yield* Effect.repeat(Effect.withSpan(Effect.void, "msrp.auth"), { times: 10_000 })
        yield* TestClock.adjust("50 seconds")
        assert.strictEqual(asked, 4 * Telemetry.MAX_UNDER_WAY)
      }).pipe(
        Effect.provide(Telemetry.layerSpans({ OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:4318" })),
        Effect.provideService(FetchHttpClient.Fetch, fetch)
      )
    }))

  it.effect("reads no more of an answer than there may be of one, and goes on", () =>
    Effect.gen(function*() {
      let [asked, octets, left] = [0, 0, 0]
      const part = new Uint8Array(16_384)
      const fetch: typeof globalThis.fetch = async () => {
        asked++
        return new Response(
          new ReadableStream({
            pull: (controller) => {
              octets += part.length
              // Who reads on would never come to an end here.
              if (octets > 100 * Telemetry.MAX_ANSWER) controller.close()
              else controller.enqueue(part)
            },
            cancel: () => void left++
          })
        )
      }
      yield* Metric.update(Metric.counter("one"), 1)
      yield* Effect.gen(function*() {
        for (let i = 1; i <= 2; i++) {
          yield* TestClock.adjust("10 seconds")
          yield* poll(() => left === i)
          assert.isAtMost(octets, i * 2 * Telemetry.MAX_ANSWER)
        }
        assert.strictEqual(asked, 2)
      }).pipe(
        Effect.provide(Telemetry.layerMetrics({ OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:4318" })),
        Effect.provideService(FetchHttpClient.Fetch, fetch)
      )
    }).pipe(registry))

  it.effect("a collector that cannot be reached, refuses or says nothing is told once, and again when it was there between", () => {
    const log: Array<string> = []
    const logger = logInto(log)
    return Effect.gen(function*() {
      const refused = Object.assign(new Error("connect"), { code: "ECONNREFUSED" })
      let answer: () => Promise<Response> = () => Promise.reject(new TypeError("fetch failed", { cause: refused }))
      const fetch: typeof globalThis.fetch = () => answer()
      yield* Metric.update(Metric.counter("one"), 1)
      yield* Effect.gen(function*() {
        yield* TestClock.adjust("5 minutes")
        assert.lengthOf(log, 1)
        assert.match(
          log[0]!,
          /level=WARN .*message="the collector of OpenTelemetry cannot be reached" .*what=metrics reason="nobody listens there \(ECONNREFUSED\)"/
        )
        answer = () => Promise.resolve(new Response("{}"))
        yield* TestClock.adjust("2 minutes")
        answer = () => Promise.resolve(new Response("", { status: 401 }))
        yield* TestClock.adjust("5 minutes")
        assert.lengthOf(log, 3)
        assert.match(
          log[1]!,
          /level=INFO .*message="the collector of OpenTelemetry can be reached again" .*what=metrics$/
        )
        assert.match(log[2]!, /reason="it answers 401"/)
        answer = () => Promise.resolve(new Response("{}"))
        yield* TestClock.adjust("2 minutes")
        const said = Promise.withResolvers<Response>()
        answer = () => said.promise
        yield* TestClock.adjust("2 minutes")
        answer = () => Promise.resolve(new Response("{}"))
        said.resolve(new Response("{}"))
        yield* TestClock.adjust("2 minutes")
        assert.lengthOf(log, 6)
        assert.match(log[4]!, /reason="no answer in time \(ETIMEDOUT\)"/)
      }).pipe(
        Effect.provide(Telemetry.layerMetrics({ OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:4318" })),
        Effect.provideService(FetchHttpClient.Fetch, fetch)
      )
    }).pipe(registry, Effect.provide(logger))
  })

  it.effect("ends within a second for each of the two where the collector says nothing, or refuses", () =>
    Effect.gen(function*() {
      const answers: ReadonlyArray<() => Promise<Response>> = [
        () => new Promise(() => {}),
        async () => new Response("", { status: 503 })
      ]
      for (const fetch of answers) {
        for (const layer of [Telemetry.layerMetrics, Telemetry.layerSpans]) {
          const scope = yield* Scope.make()
          yield* Metric.update(Metric.counter("one"), 1)
          const context = yield* Layer.buildWithScope(
            layer({ OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:4318", OTEL_EXPORTER_OTLP_TIMEOUT: "10000" }),
            scope
          ).pipe(Effect.provideService(FetchHttpClient.Fetch, fetch))
          yield* Effect.provideContext(Effect.withSpan(Effect.void, "msrp.auth"), context)
          const end = yield* Effect.forkChild(Scope.close(scope, Exit.void), { startImmediately: true })
          yield* TestClock.adjust("999 millis")
          assert.isUndefined(end.pollUnsafe())
          yield* TestClock.adjust("1 millis")
          assert.isDefined(end.pollUnsafe())
        }
      }
    }).pipe(registry))

  it.live("sends spans, in OpenTelemetry's own encoding unless another is wanted", () =>
    Effect.gen(function*() {
      const { posted, url } = yield* collector
      yield* Effect.withSpan(Effect.void, "msrp.auth").pipe(Effect.provide(Telemetry.layerSpans({
        OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${url}/spans`,
        OTEL_SERVICE_NAME: "relay-3"
      })))
      const one = yield* Queue.take(posted)
      assert.strictEqual(one.path, "/spans")
      assert.strictEqual(one.type, "application/x-protobuf")
      assert.include(textOf(one), "msrp.auth")
      assert.include(textOf(one), "relay-3")
    }))

  it.live("does nothing where no collector is named, or it is switched off", () =>
    Effect.gen(function*() {
      const { posted, url } = yield* collector
      for (
        const env of [
          {},
          { OTEL_EXPORTER_OTLP_ENDPOINT: "" },
          { OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_SDK_DISABLED: "true" },
          { OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_METRICS_EXPORTER: "none", OTEL_TRACES_EXPORTER: "none" },
          { OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: "" }
        ]
      ) {
        yield* Effect.withSpan(Effect.void, "msrp.auth").pipe(
          Effect.provide(Layer.merge(Telemetry.layerMetrics(env), Telemetry.layerSpans(env)))
        )
      }
      assert.strictEqual(yield* Queue.size(posted), 0)
    }))

  it.live("says which variable is wrong", () =>
    Effect.gen(function*() {
      const cases: ReadonlyArray<readonly [Telemetry.Environment, RegExp]> = [
        [{ OTEL_EXPORTER_OTLP_ENDPOINT: "collector:4318" }, /^OTEL_EXPORTER_OTLP_ENDPOINT: must be an http/],
        [{ OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: "grpc://x" }, /^OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: must be an http/],
        [
          { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:9", OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" },
          /^OTEL_EXPORTER_OTLP_PROTOCOL: must be http\/protobuf or http\/json/
        ],
        [
          { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:9", OTEL_METRIC_EXPORT_INTERVAL: "soon" },
          /OTEL_METRIC_EXPORT_INTERVAL/
        ]
      ]
      for (const [env, words] of cases) {
        const exit = yield* Effect.exit(Effect.scoped(Layer.build(Telemetry.layerMetrics(env))))
        const error = Exit.isFailure(exit) ? Exit.findErrorOption(exit) : undefined
        assert.match(error?._tag === "Some" ? error.value.message : "no failure", words)
      }
    }))
})
