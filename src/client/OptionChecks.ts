/**
 * What the options of a client may be. They come from outside as often as not, and one that cannot be used is told before
 * anything is written. Not for `msrp-relay/browser`, which does without `Schema` to be small.
 */
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import {
  checkOptions,
  declared,
  duration,
  func,
  httpPath,
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
import { isComment, isMethod } from "../protocol/Encoder.ts"
import { defaultFrameLimits } from "../protocol/FrameLimits.ts"
import { isIdent } from "../protocol/Ident.ts"
import { parsePath, parseUri } from "../protocol/Uri.ts"
import { type ClientError, unusable } from "./ClientError.ts"
import { type Collect, collectOf } from "./Collect.ts"
import { type Client, pathText } from "./Endpoint.ts"
import { Frame, pathUris } from "./Frame.ts"
import { guarded, isOctets } from "./Guarded.ts"
import { headersBeside, MAX_URIS, ofAny, ofSend, PATHS } from "./HeaderChecks.ts"
import type { Message } from "./Inbox.ts"
import type {
  AuthOptions,
  ConnectOptions,
  Credentials,
  OnlineSendOptions,
  Path,
  RequestOptions,
  SendOptions
} from "./Options.ts"
import { isUtf8Line, toUtf8 } from "./Utf8.ts"

const { nonSendBody } = defaultFrameLimits
const some: Range = [1, Number.MAX_SAFE_INTEGER]
const count: Range = [0, Number.MAX_SAFE_INTEGER]

/** Of a URI that was read only its text is written. */
const textOf = (uri: unknown): string => {
  const text = Predicate.hasProperty(uri, "text") ? uri.text : uri
  return typeof text === "string" ? text : ""
}
const isPath = (value: unknown): boolean => parsePath(textOf(value), Infinity) !== undefined

const path = declared<Path>(
  "one MSRP URI or several",
  (value) => isPath(value) || (Array.isArray(value) && value.length > 0 && value.every(isPath))
)

const isWhole = (value: unknown): value is string | Uint8Array => typeof value === "string" || isOctets(value)

const octets = declared<string | Uint8Array>("text or octets, which no other thread has", isWhole)

const MEDIA_TYPE = /^[!#$%&'*+\-.^_`{|}~0-9A-Za-z]+\/[!#$%&'*+\-.^_`{|}~0-9A-Za-z]+[\t ]*(?:;|$)/

/** How much of a line there may be, where it is more; of a path also how many URIs. */
const excess = (line: string, uris = 0): string | undefined => {
  if (uris > MAX_URIS) return `at most ${MAX_URIS} URIs`
  return line.length > PATHS ? `at most ${PATHS} octets` : undefined
}

/** By themselves, and together: the relays on the way move URIs from one path to the other, up to the last one (RFC 4976 §6.4.1). */
const pathsFit = (
  { contentType = "", fromPath = "", toPath }: Pick<SendOptions, "contentType" | "fromPath" | "toPath">
): ReadonlyArray<OptionProblem> => {
  const [to, from, type] = [pathText(toPath), pathText(fromPath), toUtf8(contentType)]
  const [toUris, fromUris] = [pathUris(to).length, pathUris(from).length]
  const alone = [
    { option: "toPath", most: excess(to, toUris) },
    { option: "fromPath", most: excess(from, fromUris) },
    { option: "contentType", most: excess(type) }
  ].flatMap(({ most, option }) => most === undefined ? [] : [{ option, problem: `must be ${most}` }])
  if (alone.length > 0) return alone
  return toUris + fromUris > MAX_URIS + 1 || to.length + from.length + type.length > PATHS
    ? [{
      option: "toPath",
      problem: `must be, with fromPath, at most ${MAX_URIS + 1} URIs, and with contentType ${PATHS} octets`
    }]
    : []
}

/** With the relay's URI it is a To-Path. */
const viaFits = ({ relay, via = "" }: AuthOptions): ReadonlyArray<OptionProblem> => {
  const to = `${pathText(via)} ${pathText(relay)}`
  const most = excess(to, pathUris(to).length)
  return most === undefined ? [] : [{ option: "via", problem: `must be, with relay, ${most}` }]
}

const ident = text("4 to 32 letters, digits, dots, hyphens and the like", isIdent)
const name = text("a name", (value) => value !== "")

/** Whether a status may be answered. */
const isStatus = (value: unknown): boolean => Number.isInteger(value) && Number(value) >= 100 && Number(value) <= 999

const collect = declared<Collect | ((...given: ReadonlyArray<never>) => Collect)>(
  `"body", "digest", "stream", a status from 400 to 599 to refuse with or a function`,
  (value) => typeof value === "function" || collectOf(value) !== undefined
)

/** As whom a client logs in. */
export const userSchema = {
  username: name,
  password: declared<string | Redacted.Redacted>(
    "text, redacted or not",
    (value) => typeof (Redacted.isRedacted(value) ? Redacted.value(value) : value) === "string"
  )
}

/** How it logs in. */
export const loginSchema = {
  expires: Schema.optional(whole(ranges.expires)),
  algorithms: Schema.optional(
    Schema.Array(oneOf(...digestAlgorithms)).check(Schema.isMinLength(1, { expected: "one algorithm or several" }))
  ),
  rspauth: Schema.optional(oneOf("required", "optional")),
  sendUri: Schema.optional(Schema.Boolean)
}

/** How it connects, wherever that is, and what it does then. */
export const clientSchema = {
  path: Schema.optional(httpPath),
  from: Schema.optional(Schema.Struct({
    scheme: oneOf("msrp", "msrps"),
    host: name,
    port: whole([0, 65_535])
  })),
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

/** With another scheme there would be no TLS. Which hosts there are says the transport. */
const connectSchema = Schema.Struct({
  ...clientSchema,
  scheme: oneOf("msrp", "msrps"),
  transport: Schema.optional(oneOf("tcp", "ws")),
  host: name,
  port: whole([1, 65_535]),
  serverName: Schema.optional(name),
  localName: Schema.optional(name),
  relay: Schema.optional(Schema.Boolean)
})

/** What is used of one. */
const grant = Schema.Struct({
  nextNonce: Schema.optional(Schema.String),
  used: Schema.optional(Schema.Struct({
    nc: whole(some),
    challenge: Schema.Struct({
      realm: Schema.String,
      nonce: Schema.String,
      opaque: Schema.optional(Schema.String),
      algorithm: oneOf(...digestAlgorithms)
    })
  }))
})

const flag = Schema.optional(oneOf("$", "+", "#"))

const messageSchema = {
  fromPath: Schema.optional(path),
  body: Schema.optional(
    declared<string | Uint8Array | Stream.Stream<Uint8Array>>(
      "text, octets, which no other thread has, or a stream of octets",
      (value) => isWhole(value) || Stream.isStream(value)
    )
  ),
  size: Schema.optional(whole(count)),
  messageId: Schema.optional(ident),
  contentType: Schema.optional(text("a media type", (type) => MEDIA_TYPE.test(type) && isUtf8Line(type))),
  headers: Schema.optional(headersBeside(ofSend)),
  byteRange: Schema.optional(Schema.Union([
    Schema.Literal(false),
    Schema.Struct({ start: whole(some), total: Schema.optional(whole(count)) })
  ])),
  failureReport: Schema.optional(oneOf("yes", "no", "partial")),
  successReport: Schema.optional(Schema.Boolean),
  chunkSize: Schema.optional(wholeOrUnbounded(some)),
  flag,
  window: Schema.optional(wholeOrUnbounded(some)),
  progress: Schema.optional(func)
}

type MessageOptions = Omit<SendOptions<unknown, unknown>, "toPath">

/**
 * Only a stream does not say by itself how long it is. A chunk with `$` ends the message, and none goes beyond it (RFC 4975
 * §7.1.1).
 */
const lengths = ({ body = "", byteRange, flag = "$", size }: MessageOptions): ReadonlyArray<OptionProblem> => {
  const length = typeof body === "string" ? Buffer.byteLength(body) : body instanceof Uint8Array ? body.length : size
  if (length === undefined) return []
  if (size !== undefined && size !== length) {
    return [{ option: "size", problem: "must be that of the body, or not there" }]
  }
  if (byteRange === undefined || byteRange === false || byteRange.total === undefined) return []
  const end = byteRange.start - 1 + length
  return end > byteRange.total || (flag === "$" && end !== byteRange.total)
    ? [{ option: "byteRange.total", problem: "must be where the body ends, or behind it with the flag +" }]
    : []
}

/** Seven hyphens and its own transaction id end a request (RFC 4975 §7.1): an id that is made for it is in no body. */
const endLine = ({ body, transactionId }: RequestOptions): ReadonlyArray<OptionProblem> =>
  transactionId !== undefined && body !== undefined && Buffer.from(body).includes(`-------${transactionId}`)
    ? [{ option: "transactionId", problem: "must not be in the body, behind seven hyphens" }]
    : []

/** A request that is no SEND is not cut into chunks (RFC 4975 §7.1). */
const onePiece = ({ body = "", method }: RequestOptions): ReadonlyArray<OptionProblem> =>
  method !== "SEND" && Buffer.byteLength(body) > nonSendBody
    ? [{ option: "body", problem: `must be at most ${nonSendBody} octets, with another method than SEND` }]
    : []

/** Fails with the reason `Options`. */
const failing =
  <A>(wrong: (options: A) => OptionsError | undefined) => (options: A): Effect.Effect<void, ClientError> =>
    Effect.suspend(() => {
      const cause = wrong(options)
      return cause === undefined ? Effect.void : Effect.fail(unusable(cause))
    })

export const checkConnect = (options: ConnectOptions): Effect.Effect<void, OptionsError> =>
  checkOptions("Client.connect", connectSchema, options)

export const checkCredentials = failing<Credentials>(wrongOptions("credentials", Schema.Struct(userSchema)))

const checkAuth = failing<AuthOptions>(wrongOptions(
  "auth",
  Schema.Struct({
    relay: declared<AuthOptions["relay"]>("the URI of a relay", (uri) => parseUri(textOf(uri)) !== undefined),
    via: Schema.optional(path),
    after: Schema.optional(grant),
    fromPath: Schema.optional(path),
    ...userSchema,
    ...loginSchema,
    adjustExpires: Schema.optional(Schema.Boolean)
  }),
  viaFits
))

const checkSend = failing<SendOptions<any, any>>(
  wrongOptions("send", Schema.Struct({ ...messageSchema, toPath: path }), (options) => [
    ...lengths(options),
    ...pathsFit(options)
  ])
)

export const checkOnlineSend = failing<OnlineSendOptions<any, any>>(
  wrongOptions("send", Schema.Struct({ ...messageSchema, to: path }), lengths)
)

export const checkReply = failing<MessageOptions>(wrongOptions("reply", Schema.Struct(messageSchema), lengths))

/** To whom there is a reply. */
export const checkMessage = failing<Pick<Message, "fromPath" | "toPath">>(
  wrongOptions("reply: the message", Schema.Struct({ fromPath: path, toPath: path }))
)

const checkRequest = failing<RequestOptions>(wrongOptions(
  "request",
  Schema.Struct({
    method: text("upper-case letters", isMethod),
    toPath: path,
    fromPath: Schema.optional(path),
    headers: Schema.optional(headersBeside(ofAny)),
    body: Schema.optional(octets),
    flag,
    transactionId: Schema.optional(ident)
  }),
  (options) => [...endLine(options), ...onePiece(options), ...pathsFit(options)]
))

const frame = declared<Frame>("a request that was received", (value) => value instanceof Frame && value.method !== "")

/** What may be said of one. */
const said = {
  status: declared<number>("a status from 100 to 999", isStatus),
  comment: Schema.optional(text("one line of text, without control characters", isComment))
}

const checkRespond = failing<object>(
  wrongOptions("respond", Schema.Struct({ request: frame, ...said, headers: Schema.optional(headersBeside(ofAny)) }))
)

const checkReport = failing<object>(wrongOptions(
  "report",
  Schema.Struct({
    send: frame,
    ...said,
    byteRange: text("a range as 1-20/20", (range) => /^\d{1,15}-(?:\d{1,15}|\*)\/(?:\d{1,15}|\*)$/.test(range))
  })
))

const checkOctets = failing<{ readonly octets: string | Uint8Array }>(
  wrongOptions("sendOctets", Schema.Struct({ octets }))
)

/** The client, which asks for nothing with options that cannot be used. */
export const checked = (client: Client): Client => ({
  ...client,
  auth: (options) => Effect.andThen(checkAuth(options), Effect.suspend(() => client.auth(options))),
  request: (options) => Effect.andThen(checkRequest(options), Effect.suspend(() => client.request(options))),
  post: (options) => Effect.andThen(checkRequest(options), Effect.suspend(() => client.post(options))),
  send: (options) => Effect.andThen(checkSend(options), Effect.flatMap(guarded(options), client.send)),
  respond: (request, status, options) =>
    Effect.andThen(
      checkRespond({ ...options, request, status }),
      Effect.suspend(() => client.respond(request, status, options ?? {}))
    ),
  report: (send, about) =>
    Effect.andThen(checkReport({ ...about, send }), Effect.suspend(() => client.report(send, about))),
  sendOctets: (octets) => Effect.andThen(checkOctets({ octets }), Effect.suspend(() => client.sendOctets(octets)))
})
