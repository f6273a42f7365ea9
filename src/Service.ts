/**
 * The service as a layer: what `msrp-relay` runs, for use in another program.
 *
 * ```ts
 * import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
 * import * as Layer from "effect/Layer"
 * import * as Service from "msrp-relay/Service"
 *
 * Service.layer.pipe(Layer.provide(OwnCredentials), Layer.launch, NodeRuntime.runMain)
 * ```
 *
 * @module
 */

import type * as Layer from "effect/Layer"
import type { Metrics } from "./Metrics.ts"
import type { Relay } from "./Relay.ts"
import type { Reload } from "./service/Reload.ts"
import * as Parts from "./service/Service.ts"

export type { BackendError } from "./service/Backend.ts"
export { config } from "./service/Configs.ts"
export { Reload, type ReloadResult } from "./service/Reload.ts"
export { SettingsError, type SettingsProblem, type SettingsShape } from "./service/Settings.ts"
export { TelemetryError } from "./service/Telemetry.ts"

/**
 * A relay configured by the environment (docs/configuration.md), with its admin API, traces, telemetry, renewed
 * certificates and removal of users. What belongs to the process (log format, signals, systemd) is left to the
 * program.
 *
 * Services that the program provides are used instead of those that the settings would make: `Credentials`,
 * `Authenticator`, `SessionRepo`, `SocketSelector`, `Transport`, `Codec`, `Resolver`. The log lists them, and the
 * variables that have no effect because of them. Sessions of users who are removed from provided `Credentials` are
 * ended only if MSRP_CREDENTIALS_CHECK is set.
 *
 * The settings come from the `ConfigProvider`, and from the file of variables for what that lacks; `Reload` reads
 * them again. When the scope closes, the relay drains as MSRP_DRAIN_TIMEOUT says.
 *
 * @category layers
 * @since 0.2.0
 */
export const layer: Layer.Layer<Relay | Metrics | Reload, ServiceError> = Parts.layer

/**
 * Why the service cannot start. The `message` of each error lists every problem.
 *
 * @category errors
 * @since 0.2.0
 */
export type ServiceError = Layer.Error<typeof Parts.layer>
