/**
 * Which local socket a new outbound hop is dialled from, by default or by rules.
 *
 * @module
 */

import type * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { follow, type Live } from "./options/Live.ts"
import { checkOptions, declared, func, type OptionsError, wrongOrUnknown } from "./options/Options.ts"
import { socket as socketSchema, sockets as socketsSchema } from "./options/RelayOptions.ts"
import type { SocketRequest, SocketRule } from "./selector/SocketRules.ts"
import type { LocalSocket } from "./Transport.ts"

export {
  parseSocket,
  parseSocketRules,
  type SocketRequest,
  type SocketRule,
  type SocketRuleProblem,
  SocketRulesError
} from "./selector/SocketRules.ts"

const isSocket = Schema.is(socketSchema)

const defaultSchema = Schema.Struct({ sockets: socketsSchema })

const rulesSchema = Schema.Struct({
  sockets: socketsSchema,
  rules: Schema.Array(Schema.Struct(
    {
      matches: func,
      use: declared<SocketRule["use"]>(
        `a socket, "none" or "default"`,
        (value) => value === "none" || value === "default" || isSocket(value)
      ),
      inbound: Schema.optional(socketsSchema)
    } satisfies Readonly<Record<keyof SocketRule, unknown>>
  ))
})

const wrongRules = wrongOrUnknown<object>("SocketSelector.layerRules", rulesSchema)

const applies = (rule: SocketRule, request: SocketRequest): boolean =>
  (typeof rule.use === "string" || rule.use.scheme === request.destination.scheme) && rule.matches(request)

/**
 * Chooses the local socket, and so the interface, that a new outbound hop is dialled from. `undefined`: none in
 * particular, the operating system chooses.
 *
 * The contract for a custom selector: `select` is called for each new hop, not for each message. The hop waits for its answer, up
 * to 30 seconds. The socket that it returns has the scheme of the destination; its host is dialled from if it is an address. The
 * effect may be interrupted.
 *
 * ```ts
 * const inside = { scheme: "msrps", host: "10.0.0.1", port: 2855 } as const
 *
 * const Own = Layer.succeed(SocketSelector, {
 *   select: ({ destination, inbound }) =>
 *     Effect.succeed(
 *       destination.scheme === "msrps" && destination.host.endsWith(".internal")
 *         ? inside
 *         : inbound?.scheme === destination.scheme ? inbound : undefined
 *     )
 * })
 * ```
 *
 * `socketSelectorContract` of `msrp-relay/testing` has tests of that.
 *
 * @category services
 * @since 0.1.0
 */
export class SocketSelector extends Context.Service<SocketSelector, {
  readonly select: (request: SocketRequest) => Effect.Effect<LocalSocket | undefined>
}>()("msrp-relay/SocketSelector") {
  /** Uses `defaultSocket` for every hop. `sockets`: those that the relay listens on, in the order of the configuration. */
  static readonly layerDefault = (sockets: ReadonlyArray<LocalSocket>): Layer.Layer<SocketSelector, OptionsError> =>
    Layer.effect(
      SocketSelector,
      Effect.as(checkOptions("SocketSelector.layerDefault", defaultSchema, { sockets }), {
        select: (request) => Effect.succeed(defaultSocket(sockets, request))
      })
    )

  /** The first rule that matches decides, `defaultSocket` if none does. `parseSocketRules` reads rules. They may change (`Live`). */
  static readonly layerRules = (
    sockets: ReadonlyArray<LocalSocket>,
    rules: Live<ReadonlyArray<SocketRule>>
  ): Layer.Layer<SocketSelector, OptionsError> =>
    Layer.effect(
      SocketSelector,
      Effect.map(follow(rules, (now) => wrongRules({ sockets, rules: now })), (live) => ({
        select: (request) =>
          Effect.sync(() => {
            const use = live.current.find((rule) => applies(rule, request))?.use ?? "default"
            return use === "none" ? undefined : use === "default" ? defaultSocket(sockets, request) : use
          })
      }))
    )

  /** `layerRules` with sockets and rules from a configuration. */
  static readonly layerRulesConfig = (
    config: Config.Config<{
      readonly sockets: ReadonlyArray<LocalSocket>
      readonly rules: Live<ReadonlyArray<SocketRule>>
    }>
  ): Layer.Layer<SocketSelector, OptionsError | Config.ConfigError> =>
    Layer.unwrap(Effect.map(config, ({ rules, sockets }) => SocketSelector.layerRules(sockets, rules)))
}

/**
 * The inbound socket if it has the scheme of the destination, otherwise the first local socket that has, otherwise
 * `undefined`.
 *
 * @category getters
 * @since 0.1.0
 */
export const defaultSocket = (sockets: ReadonlyArray<LocalSocket>, request: SocketRequest): LocalSocket | undefined => {
  const { destination, inbound } = request
  return inbound?.scheme === destination.scheme
    ? inbound
    : sockets.find((socket) => socket.scheme === destination.scheme)
}
