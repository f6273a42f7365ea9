/**
 * Checks the options of a client's operations, before anything is sent. Not used by `msrp-relay/browser`, which leaves out `Schema`
 * to stay small.
 */
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import {
  amongOthers,
  checkOptions,
  declared,
  duration,
  func,
  httpPath,
  oneOf,
  type OptionProblem,
  OptionsError,
  text,
  whole,
  wholeOrUnbounded,
  wrongOptions,
  wrongOrUnknown
} from "../options/Options.ts"
import { type Range, ranges } from "../options/Ranges.ts"
import { Buffer } from "../platform/Node.ts"
import { digestAlgorithms } from "../protocol/digest/Digest.ts"
import { isComment, isLine, isMethod } from "../protocol/Encoder.ts"
import { defaultFrameLimits } from "../protocol/FrameLimits.ts"
import { isIdent } from "../protocol/Ident.ts"
import { parsePath, parseUri } from "../protocol/Uri.ts"
import { type ClientError, unusable } from "./ClientError.ts"
import { type Collect, collectOf } from "./Collect.ts"
import type { Client } from "./Endpoint.ts"
import { Frame } from "./Frame.ts"
import { isOctets } from "./GuardedOptions.ts"
import { headersBeside, ofAny, ofSend } from "./HeaderChecks.ts"
import type { Message } from "./Inbox.ts"
import { isMediaType } from "./MediaType.ts"
import type {
  AuthOptions,
  ConnectOptions,
  Credentials,
  OnlineSendOptions,
  RelayOptions,
  RequestOptions,
  SendOptions
} from "./Options.ts"
import { type Path, pathText } from "./Path.ts"
import { type Paths, wrongPaths } from "./PathLimits.ts"
import { isUtf8Line, toUtf8 } from "./Utf8.ts"

const { nonSendBody } = defaultFrameLimits
/** A schema for each option: an option without one would be refused as unknown. */
type Named<Options> = Readonly<Record<keyof Options, Schema.Codec<any>>>

const some: Range = [1, Number.MAX_SAFE_INTEGER]
const count: Range = [0, Number.MAX_SAFE_INTEGER]

/** The text of a URI, which is all that is sent of it. Empty if there is none. */
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

/** The client, whose URI is the default From-Path. */
type Own = Pick<Client, "uri">

const pathsFit = (
  { contentType = "", fromPath, toPath }: Pick<SendOptions, "contentType" | "fromPath" | "toPath">,
  { uri }: Own
): ReadonlyArray<OptionProblem> =>
  wrongPaths({ to: pathText(toPath), from: pathText(fromPath ?? uri), contentType: toUtf8(contentType) })

/** `via` and the URI of the relay are the To-Path of AUTH. */
const viaFits = ({ fromPath, relay, via = "" }: AuthOptions, { uri }: Own): ReadonlyArray<OptionProblem> =>
  wrongPaths(
    { to: `${pathText(via)} ${pathText(relay)}`.trimStart(), from: pathText(fromPath ?? uri) },
    { option: via === "" ? "relay" : "via", beside: via === "" ? [] : ["relay"] }
  )

const ident = text("4 to 32 letters, digits, dots, hyphens and the like", isIdent)
const name = text("a name", (value) => value !== "")

/** Whether a value can be the status of a response. */
const isStatus = (value: unknown): boolean => Number.isInteger(value) && Number(value) >= 100 && Number(value) <= 999

const collect = declared<Collect | ((...given: ReadonlyArray<never>) => Collect)>(
  `"body", "digest", "stream", a status from 400 to 599 to refuse with or a function`,
  (value) => typeof value === "function" || collectOf(value) !== undefined
)

/** The user that a client logs in as. */
export const userSchema = {
  username: text("a name in one line", (value) => value !== "" && isUtf8Line(value)),
  password: declared<string | Redacted.Redacted>(
    "text, redacted or not",
    (value) => typeof (Redacted.isRedacted(value) ? Redacted.value(value) : value) === "string"
  )
}

/** How a client logs in. */
export const loginSchema = {
  expires: Schema.optional(whole(ranges.expires)),
  algorithms: Schema.optional(
    Schema.Array(oneOf(...digestAlgorithms)).check(Schema.isMinLength(1, { expected: "one algorithm or several" }))
  ),
  rspauth: Schema.optional(oneOf("required", "optional")),
  sendUri: Schema.optional(Schema.Boolean)
}

/** How a client connects, and what it does on its connection. */
export const clientSchema = {
  path: Schema.optional(httpPath),
  // A listener of a relay or a transport.
  from: Schema.optional(amongOthers({
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
} satisfies Named<Omit<RelayOptions, "relay">>

/** Another scheme would connect without TLS. Hosts are checked by the transport. */
const connectSchema = Schema.Struct(
  {
    ...clientSchema,
    scheme: oneOf("msrp", "msrps"),
    transport: Schema.optional(oneOf("tcp", "ws")),
    host: name,
    port: whole([1, 65_535]),
    serverName: Schema.optional(name),
    localName: Schema.optional(name),
    relay: Schema.optional(Schema.Boolean)
  } satisfies Named<ConnectOptions>
)

/** A header value as an octet string, in one line. */
const headerText = text("text in one line", isLine)

/** The parts of a grant that are used. */
const grant = amongOthers({
  nextNonce: Schema.optional(headerText),
  used: Schema.optional(amongOthers({
    nc: whole(some),
    challenge: amongOthers({
      realm: headerText,
      nonce: headerText,
      opaque: Schema.optional(headerText),
      algorithm: oneOf(...digestAlgorithms)
    })
  }))
})

const flag = Schema.optional(oneOf("$", "+", "#"))

const own = { fromPath: Schema.optional(path) }

type MessageOptions = Omit<SendOptions<unknown, unknown>, "toPath" | "fromPath">

const messageSchema = {
  body: Schema.optional(
    declared<string | Uint8Array | Stream.Stream<Uint8Array>>(
      "text, octets, which no other thread has, or a stream of octets",
      (value) => isWhole(value) || Stream.isStream(value)
    )
  ),
  size: Schema.optional(whole(count)),
  messageId: Schema.optional(ident),
  contentType: Schema.optional(text("a media type", isMediaType)),
  headers: Schema.optional(headersBeside(ofSend)),
  byteRange: Schema.optional(Schema.Union([
    Schema.Literal(false),
    // The Byte-Range of a received frame has `end` too.
    amongOthers({ start: whole(some), total: Schema.optional(whole(count)) })
  ])),
  failureReport: Schema.optional(oneOf("yes", "no", "partial")),
  successReport: Schema.optional(Schema.Boolean),
  chunkSize: Schema.optional(wholeOrUnbounded(some)),
  flag,
  window: Schema.optional(wholeOrUnbounded(some)),
  progress: Schema.optional(func)
} satisfies Named<MessageOptions>

/**
 * The body must have `size` octets, and must not go beyond the total of Byte-Range. With the flag `$` it ends there (RFC 4975
 * §7.1.1). The length of a stream is known only by `size`.
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

/** A body must not contain the end-line of its request (RFC 4975 §7.1). A transaction id that is made by the client is in no body. */
const endLine = ({ body, transactionId }: RequestOptions): ReadonlyArray<OptionProblem> =>
  // By octets, because the `Buffer` of browsers finds no text.
  transactionId !== undefined && body !== undefined &&
    Buffer.from(body).indexOf(Buffer.from(`-------${transactionId}`)) !== -1
    ? [{ option: "transactionId", problem: "must not be in the body, behind seven hyphens" }]
    : []

/** The body of a request other than SEND is limited, because only SENDs are cut into chunks (RFC 4975 §7.1). */
const onePiece = ({ body = "", method }: RequestOptions): ReadonlyArray<OptionProblem> =>
  method !== "SEND" && Buffer.byteLength(body) > nonSendBody
    ? [{ option: "body", problem: `must be at most ${nonSendBody} octets, with another method than SEND` }]
    : []

/** Makes an effect of a check, which fails with the reason `Options`. */
const failing =
  <A, Beside extends ReadonlyArray<unknown>>(wrong: (options: A, ...beside: Beside) => OptionsError | undefined) =>
  (options: A, ...beside: Beside): Effect.Effect<void, ClientError> =>
    Effect.suspend(() => {
      const cause = wrong(options, ...beside)
      return cause === undefined ? Effect.void : Effect.fail(unusable(cause))
    })

export const checkConnect = (options: ConnectOptions): Effect.Effect<void, OptionsError> =>
  checkOptions("Client.connect", connectSchema, options)

export const checkCredentials = failing(wrongOptions<Credentials>("credentials", Schema.Struct(userSchema)))

export const checkAuth = failing(wrongOrUnknown<AuthOptions, [Own]>(
  "auth",
  Schema.Struct(
    {
      relay: declared<AuthOptions["relay"]>("the URI of a relay", (uri) => parseUri(textOf(uri)) !== undefined),
      via: Schema.optional(path),
      after: Schema.optional(grant),
      ...own,
      ...userSchema,
      ...loginSchema,
      adjustExpires: Schema.optional(Schema.Boolean)
    } satisfies Named<AuthOptions>
  ),
  viaFits
))

export const checkSend = failing(
  wrongOrUnknown<SendOptions<any, any>, [Own]>(
    "send",
    Schema.Struct({ ...messageSchema, ...own, toPath: path }),
    (options, client) => [...lengths(options), ...pathsFit(options, client)]
  )
)

export const checkOnlineSend = failing(
  wrongOrUnknown<OnlineSendOptions<any, any>>("send", Schema.Struct({ ...messageSchema, ...own, to: path }), lengths)
)

export const checkReply = failing(wrongOrUnknown<MessageOptions>("reply", Schema.Struct(messageSchema), lengths))

/** Checks the paths of a message once the Use-Path is known. `option` is where the peer's path was given. */
export const checkTo = (layer: string, option: string, paths: Paths): Effect.Effect<void, ClientError> => {
  const problems = wrongPaths(paths, { option, beside: ["Use-Path"] })
  return problems.length === 0 ? Effect.void : Effect.fail(unusable(new OptionsError({ layer, problems })))
}

/** Checks the message that is replied to. */
export const checkMessage = failing(
  wrongOptions<Pick<Message, "fromPath" | "toPath">>(
    "reply: the message",
    Schema.Struct({ fromPath: path, toPath: path })
  )
)

export const checkRequest = failing(wrongOrUnknown<RequestOptions, [Own]>(
  "request",
  Schema.Struct(
    {
      method: text("upper-case letters", isMethod),
      toPath: path,
      ...own,
      headers: Schema.optional(headersBeside(ofAny)),
      body: Schema.optional(octets),
      flag,
      transactionId: Schema.optional(ident)
    } satisfies Named<RequestOptions>
  ),
  (options, client) => [...endLine(options), ...onePiece(options), ...pathsFit(options, client)]
))

const frame = declared<Frame>("a request that was received", (value) => value instanceof Frame && value.method !== "")

/** Status and comment of a response or REPORT. */
const said = {
  status: declared<number>("a status from 100 to 999", isStatus),
  comment: Schema.optional(text("one line of text, without control characters", isComment))
}

export const checkRespond = failing(
  wrongOrUnknown<object>(
    "respond",
    Schema.Struct({ request: frame, ...said, headers: Schema.optional(headersBeside(ofAny)) })
  )
)

export const checkReport = failing(wrongOrUnknown<object>(
  "report",
  Schema.Struct({
    send: frame,
    ...said,
    byteRange: text("a range as 1-20/20", (range) => /^\d{1,15}-(?:\d{1,15}|\*)\/(?:\d{1,15}|\*)$/.test(range))
  })
))

export const checkOctets = failing(
  wrongOptions<{ readonly octets: string | Uint8Array }>("sendOctets", Schema.Struct({ octets }))
)
