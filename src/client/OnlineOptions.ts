/** Checks the options of clients that find their relay by its URI, and makes settings of them. */
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import { duration, type OptionProblem, type OptionsError, wrongOrUnknown } from "../options/Options.ts"
import { type MsrpUri, parseUri } from "../protocol/Uri.ts"
import { isReachable } from "./ByUri.ts"
import { ClientError } from "./ClientError.ts"
import { checkCredentials, clientSchema, loginSchema, userSchema } from "./OptionChecks.ts"
import type { AuthOptions, Credentials, OnlineOptions, RelayOptions } from "./Options.ts"
import { RETRY, type Retry } from "./Upkeep.ts"

export type { OnlineOptions } from "./Options.ts"

const relayOf = (relay: unknown): MsrpUri | undefined => {
  const text = Predicate.hasProperty(relay, "text") ? relay.text : relay
  const uri = typeof text === "string" ? parseUri(text) : undefined
  if (uri === undefined || uri.port === 0 || !isReachable(uri)) return undefined
  return typeof relay === "string" || isSame(uri, relay as MsrpUri) ? uri : undefined
}

/** Whether the parts of a URI object agree with its text: a wrong scheme would connect without TLS. */
const isSame = (uri: MsrpUri, made: MsrpUri): boolean =>
  Object.entries(uri).every(([part, value]) => made[part as keyof MsrpUri] === value)

const relay = Schema.declare((value: unknown): value is string | MsrpUri => relayOf(value) !== undefined, {
  expected: "the URI of a relay, by tcp or ws and without a session"
})

const relaySchema = Schema.Struct({ relay, ...clientSchema })

const { record: _, respond: __, ...ofOnline } = clientSchema

const schema = Schema.Struct({
  relay,
  ...ofOnline,
  username: Schema.optional(userSchema.username),
  password: Schema.optional(userSchema.password),
  credentials: Schema.optional(
    Schema.declare((value: unknown): value is Effect.Effect<Credentials> => Effect.isEffect(value), {
      expected: "an effect"
    })
  ),
  ...loginSchema,
  retry: Schema.optional(Schema.Struct({
    atLeast: Schema.optional(duration),
    atMost: Schema.optional(duration)
  })),
  waitOnline: Schema.optional(duration)
})

export interface OnlineSettings extends Retry {
  readonly relay: MsrpUri
  readonly credentials: Effect.Effect<Credentials, ClientError>
  readonly auth: Pick<AuthOptions, "expires" | "algorithms" | "rspauth" | "sendUri">
  readonly waitOnline: Duration.Duration
}

const retryOf = ({ retry: { atLeast = RETRY.atLeast, atMost = RETRY.atMost } = {} }: OnlineOptions): Retry => ({
  atLeast: Duration.fromInputUnsafe(atLeast),
  atMost: Duration.fromInputUnsafe(atMost)
})

const together = (options: OnlineOptions): ReadonlyArray<OptionProblem> => {
  const problems: Array<OptionProblem> = []
  const { atLeast, atMost } = retryOf(options)
  if (Duration.isGreaterThan(atLeast, atMost)) {
    problems.push({ option: "retry.atLeast", problem: "must not be above retry.atMost" })
  }
  if (options.credentials === undefined && (options.username === undefined || options.password === undefined)) {
    problems.push({ option: "username", problem: "must be there with a password, or credentials in their place" })
  }
  return problems
}

/** Checks the options, and gives the URI of the relay. */
export const relayOptions = (layer: string, options: RelayOptions): Effect.Effect<MsrpUri, OptionsError> =>
  Effect.suspend(() => {
    const error = wrongOrUnknown<RelayOptions>(layer, relaySchema)(options)
    return error === undefined ? Effect.succeed(relayOf(options.relay)!) : Effect.fail(error)
  })

/** Default of `waitOnline`. */
const WAIT_ONLINE = "30 seconds"

export const onlineOptions = (layer: string, options: OnlineOptions): Effect.Effect<OnlineSettings, OptionsError> =>
  Effect.suspend(() => {
    const error = wrongOrUnknown<OnlineOptions>(layer, schema, together)(options)
    if (error !== undefined) return Effect.fail(error)
    const { algorithms, expires, rspauth, sendUri, waitOnline = WAIT_ONLINE } = options
    return Effect.succeed({
      relay: relayOf(options.relay)!,
      credentials: credentialsOf(options),
      auth: {
        ...(expires === undefined ? {} : { expires }),
        ...(algorithms === undefined ? {} : { algorithms }),
        ...(rspauth === undefined ? {} : { rspauth }),
        ...(sendUri === undefined ? {} : { sendUri })
      },
      ...retryOf(options),
      waitOnline: Duration.fromInputUnsafe(waitOnline)
    })
  })

const credentialsOf = (options: OnlineOptions): Effect.Effect<Credentials, ClientError> =>
  options.credentials !== undefined
    ? options.credentials.pipe(
      // A fiber that it waited for may have been interrupted; that does not end the client.
      Effect.catchCauseIf(Cause.hasInterruptsOnly, (cause) => Effect.fail(new Error("interrupted", { cause }))),
      Effect.mapError((cause) =>
        new ClientError({ reason: "NoCredentials", message: "there are no credentials now", cause })
      ),
      Effect.tap(checkCredentials)
    )
    : Effect.succeed({ username: options.username, password: options.password })
