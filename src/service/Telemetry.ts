/**
 * Exports metrics and spans to an OpenTelemetry collector by OTLP over HTTP, if the environment names one. The
 * variables are those of OpenTelemetry; empty ones count as not set.
 */
import * as Cause from "effect/Cause"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientError from "effect/http/HttpClientError"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import * as Layer from "effect/Layer"
import type * as OtlpExporter from "effect/observability/OtlpExporter"
import * as OtlpMetrics from "effect/observability/OtlpMetrics"
import * as OtlpSerialization from "effect/observability/OtlpSerialization"
import * as OtlpTracer from "effect/observability/OtlpTracer"
import * as Option from "effect/Option"
import * as References from "effect/References"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import { fetchWords } from "../net/ServerFault.ts"

/**
 * A variable of OpenTelemetry has an invalid value.
 *
 * @category errors
 * @since 0.2.0
 */
export class TelemetryError extends Data.TaggedError("TelemetryError")<{ readonly problem: string }> {
  override get message(): string {
    return this.problem
  }
}

export type Environment = Readonly<Record<string, string | undefined>>

/** Encodings by the name of their protocol; the first is OpenTelemetry's default. */
const serializations: Readonly<Record<string, Layer.Layer<OtlpSerialization.OtlpSerialization>>> = {
  "http/protobuf": OtlpSerialization.layerProtobuf,
  "http/json": OtlpSerialization.layerJson
}

/**
 * Defaults that Effect's modules lack: the name of the service, and exporters that are enabled if there is an
 * endpoint.
 */
const defaultsFor = (env: Environment): Record<string, string> => ({
  OTEL_METRICS_EXPORTER: "otlp",
  OTEL_TRACES_EXPORTER: "otlp",
  ...(/(?:^|,)\s*service\.name\s*=/.test(env["OTEL_RESOURCE_ATTRIBUTES"] ?? "")
    ? {}
    : { OTEL_SERVICE_NAME: "msrp-relay" })
})

/**
 * Time limit in milliseconds for the last export of metrics and that of spans. It overrides Effect's three seconds
 * and the variables, so that the end of the relay does not wait for an unreachable collector.
 */
export const LAST_EXPORT = "1000"
const atTheEnd = { OTEL_EXPORTER_OTLP_METRICS_TIMEOUT: LAST_EXPORT, OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: LAST_EXPORT }

const endpointOf = (
  env: Environment,
  signal: "METRICS" | "TRACES"
): readonly [variable: string, url: string] | undefined => {
  for (const variable of [`OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`, "OTEL_EXPORTER_OTLP_ENDPOINT"]) {
    const url = env[variable]
    if (url !== undefined) return [variable, url]
  }
  return undefined
}

/**
 * OpenTelemetry's default. Effect's exporter has no time limit other than that of `fetch`, which takes minutes, and
 * keeps unsent data in memory meanwhile.
 */
const ANSWERED_WITHIN = "10 seconds"

/**
 * Maximum number of unanswered requests. Effect's exporter makes one for each thousand spans, and keeps the spans
 * until it gives up.
 */
export const MAX_UNDER_WAY = 4

/** Maximum octets of a response that are read. Effect's exporter reads a response without limit. */
export const MAX_ANSWER = 65_536

const mute = Object.assign(new Error("no answer"), { code: "ETIMEDOUT" })

const read = ({ stream }: HttpClientResponse): Effect.Effect<void> =>
  Effect.suspend(() => {
    let octets = 0
    return stream.pipe(
      Stream.takeUntil((more) => (octets += more.length) > MAX_ANSWER),
      Stream.runDrain,
      Effect.ignore
    )
  })

/** Logs a failing export once, until one succeeds, and that one. Effect's exporter logs failures only at debug level. */
const telling = (what: string): Layer.Layer<HttpClient.HttpClient> =>
  Layer.effect(
    HttpClient.HttpClient,
    Effect.gen(function*() {
      const client = yield* HttpClient.HttpClient
      const permits = yield* Semaphore.make(MAX_UNDER_WAY)
      let told = false
      const tell = (reason: string | undefined): Effect.Effect<void> =>
        Effect.suspend(() => {
          const isNews = told !== (reason !== undefined)
          told = reason !== undefined
          if (!isNews) return Effect.void
          return reason === undefined
            ? Effect.annotateLogs(Effect.logInfo("the collector of OpenTelemetry can be reached again"), { what })
            : Effect.annotateLogs(Effect.logWarning("the collector of OpenTelemetry cannot be reached"), {
              what,
              reason
            })
        })
      return client.pipe(
        HttpClient.transform((answer, request) => {
          const silent = Effect.fail(
            new HttpClientError.HttpClientError({
              reason: new HttpClientError.TransportError({ request, cause: mute })
            })
          )
          return Effect.tap(answer, read).pipe(
            Effect.timeoutOrElse({ duration: ANSWERED_WITHIN, orElse: () => silent }),
            permits.withPermitsIfAvailable(1),
            Effect.flatMap(Option.match({ onNone: () => silent, onSome: Effect.succeed }))
          )
        }),
        HttpClient.tap(({ status }) => tell(status < 300 ? undefined : `it answers ${status}`)),
        HttpClient.tapError((error) => tell(fetchWords(error)))
      )
    })
  ).pipe(Layer.provide(FetchHttpClient.layer))

const exporting = (
  given: Environment,
  signal: "METRICS" | "TRACES",
  exporter: Layer.Layer<OtlpExporter.Flusher, never, HttpClient.HttpClient | OtlpSerialization.OtlpSerialization>
): Layer.Layer<never, TelemetryError> =>
  Layer.suspend(() => {
    const env = Object.fromEntries(
      Object.entries(given).filter((entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== "")
    )
    const endpoint = endpointOf(env, signal)
    if (endpoint === undefined || env["OTEL_SDK_DISABLED"] === "true") {
      // Without a collector, spans are disabled, because one would still be created for each AUTH.
      return signal === "TRACES" ? Layer.succeed(References.TracerEnabled, false) : Layer.empty
    }
    const [variable, url] = endpoint
    const protocol = env[`OTEL_EXPORTER_OTLP_${signal}_PROTOCOL`] ?? env["OTEL_EXPORTER_OTLP_PROTOCOL"] ??
      "http/protobuf"
    const serialization = serializations[protocol]
    if (!/^https?:\/\//i.test(url) || !URL.canParse(url)) {
      return failing(`${variable}: must be an http or https URL, as http://localhost:4318`)
    }
    if (serialization === undefined) {
      return failing(`OTEL_EXPORTER_OTLP_PROTOCOL: must be ${Object.keys(serializations).join(" or ")}`)
    }
    return exporter.pipe(
      Layer.provide([telling(signal === "METRICS" ? "metrics" : "spans"), serialization]),
      Layer.provide(ConfigProvider.layer(ConfigProvider.fromEnvRecord({ ...defaultsFor(env), ...env, ...atTheEnd }))),
      // Effect's modules treat a variable that they cannot parse as a defect.
      Layer.catchCause((cause) => failing(`OTEL_*: ${wordsOf(cause)}`))
    )
  })

const failing = (problem: string): Layer.Layer<never, TelemetryError> =>
  Layer.effectDiscard(Effect.fail(new TelemetryError({ problem })))

const wordsOf = (cause: Cause.Cause<unknown>): string => {
  const error = Cause.squash(cause)
  return error instanceof Error ? error.message : String(error)
}

/** Exports all metrics of the registry periodically, and once more at the end. */
export const layerMetrics = (env: Environment = process.env): Layer.Layer<never, TelemetryError> =>
  exporting(env, "METRICS", OtlpMetrics.layerFromConfig())

/** Exports the spans of the layers it is provided to; without an endpoint, it disables them. */
export const layerSpans = (env: Environment = process.env): Layer.Layer<never, TelemetryError> =>
  exporting(env, "TRACES", OtlpTracer.layerFromConfig())
