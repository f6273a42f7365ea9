/** From the text of a variable to its value. A problem never quotes what could be a secret. */
import * as ByteSize from "effect/ByteSize"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import * as SchemaTransformation from "effect/SchemaTransformation"
import { isIP } from "node:net"
import { isSqlName, isSqlUrl } from "../../credentials/Sql.ts"
import { isWildcard } from "../../net/Hosts.ts"
import { digestAlgorithms } from "../../protocol/digest/Digest.ts"
import { formatUri, type MsrpUri, parseUri, sameUri } from "../../protocol/Uri.ts"
import { isNextHopRule, type PortRange } from "../../relay/NextHops.ts"
import type { RelayPolicy } from "../../relay/Peers.ts"
import { parseSocket, parseSocketRules, type SocketRule } from "../../SocketSelector.ts"
import type { LocalSocket } from "../../Transport.ts"

export type TextCodec<A> = Schema.Codec<A, string>

/** Everything wrong with one value, as sentences; `undefined` stands for "not what the table says that it must be". */
export const decode = <A>(codec: TextCodec<A>, text: string): Result.Result<A, ReadonlyArray<string | undefined>> =>
  Result.mapError(
    Schema.decodeResult(codec)(text),
    (error) => formatter(error.issue).issues.map(({ message }) => message === "" ? undefined : message)
  )

const formatter = SchemaIssue.makeFormatterStandardSchemaV1({
  leafHook: (issue) => issue._tag === "InvalidValue" ? issue.annotations?.["message"] ?? "" : "",
  checkHook: () => ""
})

/** A codec from a plain function. A failure without a message says only that the value is not what it must be. */
const fromParse = <A>(
  parse: (text: string) => Result.Result<A, string | undefined>,
  print: (value: A) => string
): TextCodec<A> =>
  Schema.String.pipe(Schema.decodeTo(
    Schema.declare((value: unknown): value is A => value !== undefined),
    SchemaTransformation.transformEffect({
      decode: (text: string) =>
        Effect.fromResult(Result.mapError(
          parse(text),
          (message) => new SchemaIssue.InvalidValue(message === undefined ? undefined : { message })
        )),
      encode: (value: A) => Effect.succeed(print(value))
    })
  ))

// ---- one value

export const wholeNumber = (minimum: number, maximum: number): TextCodec<number> =>
  Schema.String.check(Schema.isPattern(/^\d+$/)).pipe(
    Schema.decodeTo(Schema.NumberFromString),
    Schema.check(Schema.isBetween({ minimum, maximum }))
  )

const lowerCased = Schema.String.pipe(Schema.decodeTo(Schema.String, SchemaTransformation.toLowerCase()))

export const oneOf = <const A extends ReadonlyArray<string>>(...values: A): TextCodec<A[number]> =>
  lowerCased.pipe(Schema.decodeTo(Schema.Literals(values).annotate({ message: "" })))

export const boolean: TextCodec<boolean> = oneOf("1", "0", "true", "false", "yes", "no", "on", "off").pipe(
  Schema.decodeTo(
    Schema.Boolean,
    SchemaTransformation.transform({
      decode: (text) => text === "1" || text === "true" || text === "yes" || text === "on",
      encode: (value) => value ? "true" : "false"
    })
  )
)

export const logLevel: TextCodec<LogLevel.LogLevel> = oneOf(...LogLevel.values.map((level) => level.toLowerCase()))
  .pipe(
    Schema.decodeTo(
      Schema.Literals(LogLevel.values),
      SchemaTransformation.transform({
        decode: (text) => LogLevel.values.find((level) => level.toLowerCase() === text)!,
        encode: (level) => level.toLowerCase()
      })
    )
  )

/** A path, a name and the like: nothing that breaks a line. */
export const line: TextCodec<string> = Schema.String.check(Schema.isPattern(/^[^\p{Cc}]+$/u))

/** Goes into a challenge between quotation marks. */
export const realm: TextCodec<string> = Schema.String.check(Schema.isPattern(/^[^\p{Cc}"\\]{1,255}$/u))

const UNITS: Readonly<Record<string, "millis" | "seconds" | "minutes" | "hours" | "days">> = {
  ms: "millis",
  milli: "millis",
  millis: "millis",
  s: "seconds",
  sec: "seconds",
  secs: "seconds",
  second: "seconds",
  seconds: "seconds",
  "": "seconds",
  m: "minutes",
  min: "minutes",
  mins: "minutes",
  minute: "minutes",
  minutes: "minutes",
  h: "hours",
  hour: "hours",
  hours: "hours",
  d: "days",
  day: "days",
  days: "days"
}

const AMOUNT = /^(\d{1,12}(?:\.\d{1,6})?)\s*([a-z]*)$/i

/** Seconds; also with a unit. `whole`: they go on the wire, where there are no fractions. */
export const seconds = (minimum: number, maximum: number, whole = false): TextCodec<number> =>
  fromParse((text) => {
    const [, amount = "", unit = ""] = AMOUNT.exec(text) ?? []
    const name = UNITS[unit.toLowerCase()]
    if (amount === "" || name === undefined) return Result.fail(undefined)
    const value = Duration.toSeconds(Duration.fromInputUnsafe(`${Number(amount)} ${name}`))
    return value >= minimum && value <= maximum && (!whole || Number.isInteger(value))
      ? Result.succeed(value)
      : Result.fail(undefined)
  }, String)

/** Octets; also with a unit, `kB` being 1000 and `KiB` 1024. `none`: 0 will do as well. */
export const octets = (minimum: number, maximum: number, none = false): TextCodec<number> =>
  fromParse((text) => {
    if (none && text === "0") return Result.succeed(0)
    const size = ByteSize.fromString(/^\d{1,20}$/.test(text) ? `${text} B` : text.slice(0, 40))
    return Option.isSome(size) && size.value >= BigInt(minimum) && size.value <= BigInt(maximum)
      ? Result.succeed(Number(size.value))
      : Result.fail(undefined)
  }, String)

/** A secret as it is. */
export const secret: TextCodec<Redacted.Redacted> = fromParse(
  (text) => /\p{Cc}/u.test(text) ? Result.fail("has control characters") : Result.succeed(Redacted.make(text)),
  Redacted.value
)

/** Of a database; it may have a password in it. */
export const sqlUrl: TextCodec<Redacted.Redacted> = fromParse(
  (text) => isSqlUrl(text) ? Result.succeed(Redacted.make(text)) : Result.fail("is of no database that is known"),
  Redacted.value
)

export const httpUrl: TextCodec<string> = fromParse(
  (text) => {
    const url = URL.parse(text)
    return url !== null && /^https?:$/.test(url.protocol) && url.username === "" && url.password === ""
      ? Result.succeed(text)
      : Result.fail("is no http or https URL without a password")
  },
  (url) => url
)

export const sqlName: TextCodec<string> = fromParse(
  (text) => isSqlName(text) ? Result.succeed(text) : Result.fail("is no name of a table or column"),
  (name) => name
)

/** `none` is no column. */
export const sqlNameOrNone: TextCodec<string> = fromParse(
  (text) => text === "none" || isSqlName(text) ? Result.succeed(text) : Result.fail("is no name of a column"),
  (name) => name
)

/** Realms with commas between them; `none` is none. */
export const realms: TextCodec<ReadonlyArray<string>> = fromParse<ReadonlyArray<string>>(
  (text) =>
    text === "none"
      ? Result.succeed([])
      : each<string>(entries(text), (one) =>
        /^[^\p{Cc}"\\]{1,255}$/u.test(one) ? Result.succeed(one) : Result.fail("is no realm")),
  (list) => list.length === 0 ? "none" : list.join(",")
)

// ---- lists

const entries = (text: string): Array<string> => text.split(",").map((one) => one.trim())

/** Reads each entry; the first problem of each is told with the number of the entry, never with its text. */
const each = <A>(
  texts: ReadonlyArray<string>,
  parse: (text: string, before: ReadonlyArray<A>) => Result.Result<A, string>
): Result.Result<ReadonlyArray<A>, string> => {
  const values: Array<A> = []
  const problems: Array<string> = []
  for (const [index, text] of texts.entries()) {
    const value = text === "" ? Result.fail("is empty") : parse(text, values)
    if (Result.isSuccess(value)) values.push(value.success)
    else problems.push(texts.length === 1 ? value.failure : `entry ${index + 1} ${value.failure}`)
  }
  return problems.length === 0 ? Result.succeed(values) : Result.fail(problems.join("; "))
}

/** Paths with commas between them. */
export const paths: TextCodec<ReadonlyArray<string>> = fromParse<ReadonlyArray<string>>(
  (text) => each<string>(entries(text), (one) => /\p{Cc}/u.test(one) ? Result.fail("is no path") : Result.succeed(one)),
  (list) => list.join(",")
)

/** As `Resolver.setServers` of Node takes them. */
export const dnsServers: TextCodec<ReadonlyArray<string>> = fromParse<ReadonlyArray<string>>(
  (text) =>
    each<string>(entries(text), (one) => {
      const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(one) ?? []
      const address = isIP(one) === 6 ? one : bracketed ?? plain ?? ""
      return isIP(address) !== 0 && Number(port ?? 53) <= 65_535 ? Result.succeed(one) : Result.fail("is no address")
    }),
  (list) => list.join(",")
)

/** `all`, `none`, or names of relays. */
export const relayPeers: TextCodec<RelayPolicy> = fromParse<RelayPolicy>(
  (text) =>
    text === "all" || text === "none" ?
      Result.succeed(text) :
      each(entries(text), (one) =>
        /^(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?$/i.test(one)
          ? Result.succeed(one.toLowerCase().replace(/\.$/, ""))
          : Result.fail("is no host name")),
  (policy) => typeof policy === "string" ? policy : policy.join(",")
)

/** `none`, or rules of `NextHops`. */
export const nextHops: TextCodec<ReadonlyArray<string>> = fromParse<ReadonlyArray<string>>(
  (text) =>
    text === "none" ?
      Result.succeed([]) :
      each<string>(entries(text), (one) =>
        isNextHopRule(one) ? Result.succeed(one) : Result.fail("is no address, network or host name")),
  (rules) => rules.length === 0 ? "none" : rules.join(",")
)

/** `any`, or ports and ranges of ports. */
export const ports: TextCodec<ReadonlyArray<PortRange>> = fromParse<ReadonlyArray<PortRange>>(
  (text) =>
    text === "any" ?
      Result.succeed([{ first: 1, last: 65_535 }]) :
      each<PortRange>(entries(text), (one) => {
        const [, first, last = first] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(one) ?? []
        const range = { first: Number(first), last: Number(last) }
        return range.first >= 1 && range.first <= range.last && range.last <= 65_535
          ? Result.succeed(range)
          : Result.fail("is no port or range of ports")
      }),
  (ranges) => ranges.map(({ first, last }) => first === last ? first : `${first}-${last}`).join(",")
)

export const algorithms = fromParse(
  (text) =>
    each<(typeof digestAlgorithms)[number]>(entries(text), (one, before) => {
      const algorithm = digestAlgorithms.find((known) => known.toLowerCase() === one.toLowerCase())
      if (algorithm === undefined) return Result.fail(`is not ${digestAlgorithms.join(" or ")}`)
      return before.includes(algorithm) ? Result.fail("is there twice") : Result.succeed(algorithm)
    }),
  (list) => list.join(",")
)

export const DEFAULT_PORT = 2855

/** Where the port would be, in a URI without one. Done before parsing, since an address without a port is no URI. */
const NO_PORT = /^(msrps?:\/\/(?:[^/;@]*@)?(?:\[[^\]]*\]|[^:/;@[\]]+)):?(?=[/;]|$)/i

const ownUri = (text: string, before: ReadonlyArray<MsrpUri>): Result.Result<MsrpUri, string> => {
  const uri = parseUri(text.replace(NO_PORT, `$1:${DEFAULT_PORT}`))
  if (uri === undefined) {
    return Result.fail(
      parseUri(`${text.replace(NO_PORT, `$1:${DEFAULT_PORT}`)};tcp`) === undefined
        ? "is not an MSRP URI"
        : `needs ";tcp" at its end`
    )
  }
  if (uri.userinfo !== undefined) return Result.fail("has a user name, which the URI of a relay must not have")
  if (uri.sessionId !== undefined) return Result.fail("has a session-id, which the URI of a relay must not have")
  if (uri.transport.toLowerCase() !== "tcp") return Result.fail(`must have the transport "tcp"`)
  if (uri.parameters !== "") return Result.fail("has parameters, which the URI of a relay must not have")
  if (uri.port === 0) return Result.fail("has port 0")
  if (isWildcard(uri.host)) {
    return Result.fail("has an address that nobody can connect to; put it into MSRP_LISTEN, and a name here")
  }
  return before.some((one) => sameUri(one, uri)) ? Result.fail("is there twice") : Result.succeed(uriOf(uri))
}

/** A URI of the relay itself, printed with its port. */
export const uriOf = ({ host, port, scheme }: Pick<MsrpUri, "scheme" | "host" | "port">): MsrpUri => ({
  text: formatUri({ scheme, host, port }),
  scheme,
  userinfo: undefined,
  host,
  port,
  sessionId: undefined,
  transport: "tcp",
  parameters: ""
})

export const uris: TextCodec<ReadonlyArray<MsrpUri>> = fromParse(
  (text) => each(entries(text), ownUri),
  (list) => list.map((uri) => uri.text).join(",")
)

/** One for each scheme. */
export const oneUriEach: TextCodec<ReadonlyArray<MsrpUri>> = fromParse(
  (text) =>
    each<MsrpUri>(entries(text), (one, before) => {
      const uri = ownUri(one, before)
      return Result.isSuccess(uri) && before.some(({ scheme }) => scheme === uri.success.scheme)
        ? Result.fail("has the scheme of another one")
        : uri
    }),
  (list) => list.map((uri) => uri.text).join(",")
)

export const listeners: TextCodec<ReadonlyArray<LocalSocket>> = fromParse(
  (text) =>
    each(entries(text), (one) => {
      const socket = parseSocket(one)
      if (socket === undefined) return Result.fail("is not like msrp:192.0.2.1:2855 or msrps:[::]:2856")
      return socket.port === 0
        ? Result.fail("has port 0, which would be another port at each start")
        : Result.succeed(socket)
    }),
  (list) => list.map((socket) => `${socket.scheme}:${socket.host}:${socket.port}`).join(",")
)

/** The rules as they are, and their text. */
export interface SocketRoutes {
  readonly text: string
  readonly rules: ReadonlyArray<SocketRule>
}

export const socketRoutes: TextCodec<SocketRoutes> = fromParse(
  (text) =>
    Result.mapBoth(parseSocketRules(text), {
      onSuccess: (rules) => ({ text, rules }),
      onFailure: (error) => error.message
    }),
  (routes) => routes.text
)

// ---- users

/** A user as configured: whether `stored` is a password or an H(A1) is another setting. */
export interface ConfiguredUser {
  readonly username: string
  readonly realm: string | undefined
  readonly stored: Redacted.Redacted
}

const percentDecoded = (text: string): string | undefined => Option.getOrUndefined(decodeComponent(text))
const decodeComponent = Option.liftThrowable(decodeURIComponent)

const name = (text: string): string | undefined => {
  const decoded = percentDecoded(text)
  return decoded === undefined || decoded === "" || /\p{Cc}/u.test(decoded) ? undefined : decoded
}

const user = (text: string): Result.Result<ConfiguredUser, string> => {
  const colon = text.indexOf(":")
  if (colon === -1) return Result.fail(`has no ":" between user and secret ("," and "%" in a secret are %2C and %25)`)
  const [username, ...realms] = text.slice(0, colon).split("@").map(name)
  const stored = percentDecoded(text.slice(colon + 1))
  if (username === undefined) return Result.fail(`has no usable user name before its ":"`)
  if (realms.length > 1) return Result.fail(`has two "@"; one in a user name is %40`)
  const realm = realms[0]
  if (realms.length === 1 && realm === undefined) return Result.fail(`has no usable realm between its "@" and ":"`)
  if (stored === undefined) return Result.fail(`has a "%" in its secret that is not %25`)
  if (stored === "") return Result.fail("has an empty secret")
  return Result.succeed({ username, realm, stored: Redacted.make(stored) })
}

export const users: TextCodec<ReadonlyArray<ConfiguredUser>> = fromParse(
  (text) => each(entries(text), user),
  () => "<redacted>"
)
