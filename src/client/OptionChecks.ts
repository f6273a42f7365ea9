/**
 * What the options of a client may be. They come from outside as often as not, and one that cannot be used is told before
 * anything is written. Not for `msrp-relay/browser`, which does without `Schema` to be small.
 */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import {
  checkOptions,
  duration,
  oneOf,
  type OptionProblem,
  type OptionsError,
  text,
  whole,
  wholeOrUnbounded,
  wrongOptions
} from "../options/Options.ts"
import { type Range, ranges } from "../options/Ranges.ts"
import { Buffer } from "../platform/Node.ts"
import { digestAlgorithms } from "../protocol/digest/Digest.ts"
import type { HeaderLines } from "../protocol/Encoder.ts"
import { isIdent } from "../protocol/Ident.ts"
import { ClientError } from "./ClientError.ts"
import type { Client } from "./Endpoint.ts"
import type { Collect } from "./Inbox.ts"
import type { AuthOptions, ConnectOptions, OnlineSendOptions, Path, SendOptions } from "./Options.ts"

const some: Range = [1, Number.MAX_SAFE_INTEGER]
const count: Range = [0, Number.MAX_SAFE_INTEGER]

const declared = <A>(expected: string, test: (value: unknown) => boolean): Schema.Codec<A> =>
  Schema.declare((value: unknown): value is A => test(value), { expected })

const isText = (value: unknown): value is string => typeof value === "string" && value !== ""
const isUri = (value: unknown): boolean =>
  isText(value) || (typeof value === "object" && value !== null && "text" in value && isText(value.text))

const path = declared<Path>(
  "one URI or several",
  (value) => isUri(value) || (Array.isArray(value) && value.length > 0 && value.every(isUri))
)

const func = declared<(...given: ReadonlyArray<never>) => unknown>("a function", (value) => typeof value === "function")

/** Whether a status may be answered. */
const isStatus = (value: unknown): boolean => Number.isInteger(value) && Number(value) >= 100 && Number(value) <= 999

const collect = declared<Collect | ((...given: ReadonlyArray<never>) => Collect)>(
  `"body", "digest", "stream", a status to refuse with or a function`,
  (value) =>
    typeof value === "function" || value === "body" || value === "digest" || value === "stream" ||
    (typeof value === "object" && value !== null && "refuse" in value && isStatus(value.refuse))
)

/** As whom a client logs in. */
export const userSchema = {
  username: text("a name", (name) => name !== ""),
  password: declared<string | Redacted.Redacted>(
    "text, redacted or not",
    (value) => typeof (Redacted.isRedacted(value) ? Redacted.value(value) : value) === "string"
  )
}

/** How it logs in. */
export const loginSchema = {
  expires: Schema.optional(whole(ranges.expires)),
  algorithms: Schema.optional(Schema.Array(oneOf(...digestAlgorithms))),
  rspauth: Schema.optional(oneOf("required", "optional")),
  sendUri: Schema.optional(Schema.Boolean)
}

/** What it does on its connection. */
export const clientSchema = {
  respond: Schema.optional(Schema.Boolean),
  report: Schema.optional(Schema.Boolean),
  record: Schema.optional(Schema.Boolean),
  collect: Schema.optional(collect),
  maxMessage: Schema.optional(wholeOrUnbounded(some)),
  maxUnread: Schema.optional(wholeOrUnbounded(some)),
  maxReports: Schema.optional(whole(some)),
  responseTimeout: Schema.optional(duration),
  admits: Schema.optional(func)
}

/** What types say already: with another scheme there would be no TLS. Which host and port there may be says the transport. */
const connectSchema = Schema.Struct({
  ...clientSchema,
  scheme: oneOf("msrp", "msrps"),
  transport: Schema.optional(oneOf("tcp", "ws")),
  host: Schema.String,
  port: Schema.Number
})

const messageSchema = {
  fromPath: Schema.optional(path),
  body: Schema.optional(
    declared<string | Uint8Array | Stream.Stream<Uint8Array>>(
      "text, octets or a stream of octets",
      (value) => typeof value === "string" || value instanceof Uint8Array || Stream.isStream(value)
    )
  ),
  size: Schema.optional(whole(count)),
  messageId: Schema.optional(text("4 to 32 letters, digits, dots, hyphens and the like", isIdent)),
  contentType: Schema.optional(text("a media type", isText)),
  headers: Schema.optional(
    declared<HeaderLines>("pairs of a name and a value", (value) =>
      Array.isArray(value) &&
      value.every((line) => Array.isArray(line) && isText(line[0]) && typeof line[1] === "string"))
  ),
  byteRange: Schema.optional(Schema.Union([
    Schema.Literal(false),
    Schema.Struct({ start: whole(some), total: Schema.optional(whole(count)) })
  ])),
  failureReport: Schema.optional(oneOf("yes", "no", "partial")),
  successReport: Schema.optional(Schema.Boolean),
  chunkSize: Schema.optional(wholeOrUnbounded(some)),
  flag: Schema.optional(oneOf("$", "+", "#")),
  window: Schema.optional(wholeOrUnbounded(some)),
  progress: Schema.optional(func)
}

type MessageOptions = Omit<SendOptions<unknown, unknown>, "toPath">

/** A chunk with `$` ends the message, and none goes beyond it (RFC 4975 §7.1.1). */
const range = ({ body, byteRange, flag = "$", size }: MessageOptions): ReadonlyArray<OptionProblem> => {
  if (byteRange === undefined || byteRange === false || byteRange.total === undefined) return []
  const octets = typeof body === "string" ? Buffer.from(body).length : body instanceof Uint8Array ? body.length : size
  if (octets === undefined) return []
  const end = byteRange.start - 1 + octets
  return end > byteRange.total || (flag === "$" && end !== byteRange.total)
    ? [{ option: "byteRange.total", problem: "must be where the body ends, or behind it with the flag +" }]
    : []
}

/** Fails with the reason `Options`. */
const failing =
  <A>(wrong: (options: A) => OptionsError | undefined) => (options: A): Effect.Effect<void, ClientError> =>
    Effect.suspend(() => {
      const cause = wrong(options)
      return cause === undefined
        ? Effect.void
        : Effect.fail(new ClientError({ reason: "Options", message: cause.message, cause }))
    })

export const checkConnect = (options: ConnectOptions): Effect.Effect<void, OptionsError> =>
  checkOptions("Client.connect", connectSchema, options)

const checkAuth = failing<AuthOptions>(wrongOptions(
  "auth",
  Schema.Struct({
    relay: declared<AuthOptions["relay"]>("the URI of a relay", isUri),
    via: Schema.optional(path),
    fromPath: Schema.optional(path),
    ...userSchema,
    ...loginSchema,
    adjustExpires: Schema.optional(Schema.Boolean)
  })
))

const checkSend = failing<SendOptions<any, any>>(
  wrongOptions("send", Schema.Struct({ ...messageSchema, toPath: path }), range)
)

export const checkOnlineSend = failing<OnlineSendOptions<any, any>>(
  wrongOptions("send", Schema.Struct({ ...messageSchema, to: path }), range)
)

export const checkReply = failing<MessageOptions>(wrongOptions("reply", Schema.Struct(messageSchema), range))

/** The client, which asks for nothing with options that cannot be used. */
export const checked = (client: Client): Client => ({
  ...client,
  auth: (options) => Effect.andThen(checkAuth(options), Effect.suspend(() => client.auth(options))),
  send: (options) => Effect.andThen(checkSend(options), Effect.suspend(() => client.send(options)))
})
