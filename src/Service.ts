/**
 * The service as a layer: what `msrp-relay` runs, in a program of one's own.
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

export { config } from "./service/Configs.ts"
export { Reload, type ReloadResult } from "./service/Reload.ts"
export { SettingsError, type SettingsProblem } from "./service/Settings.ts"

/**
 * A relay as the environment says (docs/configuration.md), with its admin API, traces, telemetry, renewed certificates and
 * users that may be removed: all but what makes it a process (log format, signals, systemd), which is the program's.
 *
 * What is provided to it goes in the place of what the settings would make: `Credentials`, `Authenticator`, `SessionRepo`,
 * `SocketSelector`, `Transport`, `Codec`, `Resolver`. The log says which are, and which variables are set for nothing then.
 * Sessions of users who are not among `Credentials` of the program's own any more are ended only if MSRP_CREDENTIALS_CHECK
 * says how often to ask.
 *
 * The settings come from the `ConfigProvider`, and for what it does not have from the file of variables; `Reload` reads them
 * again. When its scope closes the relay drains as MSRP_DRAIN_TIMEOUT says.
 *
 * @category layers
 * @since 0.2.0
 */
export const layer: Layer.Layer<Relay | Metrics | Reload, ServiceError> = Parts.layer

/**
 * Why the service cannot start. Each tells in its `message` all that is wrong.
 *
 * @category errors
 * @since 0.2.0
 */
export type ServiceError = Layer.Error<typeof Parts.layer>
