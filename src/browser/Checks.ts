/**
 * Checks the arguments of a page's calls: those that are not valid throw `Invalid` before anything is done. Without `Schema`, which
 * would make the bundle a quarter larger.
 */
import { isMediaType } from "../client/MediaType.ts"
import { MAX_URIS, PATHS } from "../client/PathLimits.ts"
import { isUtf8Line, toUtf8 } from "../client/Utf8.ts"
import { isOptionalCount } from "../options/OptionalCount.ts"
import { isRefusal } from "../protocol/Status.ts"
import type { ConnectOptions, Credentials, SendOptions, SessionOptions } from "./Api.ts"
import { MsrpError } from "./MsrpError.ts"

const check = (isRight: boolean, option: string, what: string): void => {
  if (!isRight) throw new MsrpError("Invalid", `${option} must be ${what}`)
}

const isText = (value: unknown): boolean => value === undefined || typeof value === "string"
const isFunction = (value: unknown): boolean => value === undefined || typeof value === "function"

const isSwitch = (value: unknown): boolean => value === undefined || typeof value === "boolean"
const isSignal = (value: unknown): boolean =>
  value === undefined || typeof Object(value).addEventListener === "function"

/** Whether a value is a user name: text in one line. */
const isUserName = (name: unknown): boolean => typeof name === "string" && isUtf8Line(name)

/** Refuses unknown options, to find typing errors such as `expire` for `expires`. */
const checkNames = (options: unknown, names: object): void => {
  check(typeof options === "object" && options !== null && !Array.isArray(options), "options", "an object")
  for (const name in options as object) check(name in names, name, "left out: it is no option")
}

type Names<Options> = Readonly<Record<keyof Options, unknown>>

const _ = 0
const ofConnect: Names<ConnectOptions> = {
  url: _,
  username: _,
  password: _,
  credentials: _,
  relay: _,
  expires: _,
  signal: _
}
const ofSession: Names<SessionOptions> = { peer: _, accept: _, maxSize: _ }
const ofSend: Names<SendOptions> = { contentType: _, filename: _, receipt: _, onProgress: _, signal: _, messageId: _ }

export const checkConnect = (options: ConnectOptions): void => {
  checkNames(options, ofConnect)
  const { credentials, expires, password, relay, signal, username } = options
  check(username === undefined || isUserName(username), "username", "text in one line")
  check(isText(password), "password", "text")
  check(isFunction(credentials), "credentials", "a function")
  check(isText(relay), "relay", "text")
  check(isOptionalCount(expires), "expires", "a whole number above 0")
  check(isSignal(signal), "signal", "an AbortSignal")
}

/** What a page's function `credentials` has given. It may be anything, and its properties may throw. */
export const checkCredentials = ({ password, username }: Credentials): Credentials => {
  check(isUserName(username), "username", "text in one line")
  check(typeof password === "string", "password", "text")
  return { username, password }
}

export const checkSession = (options: SessionOptions): void => {
  checkNames(options, ofSession)
  const { accept, maxSize } = options
  const isList = Array.isArray(accept) && accept.every((type) => typeof type === "string")
  check(accept === undefined || isList, "accept", "a list of text")
  check(maxSize === Infinity || isOptionalCount(maxSize), "maxSize", "a whole number above 0")
}

export const checkPeer = (path: unknown): void => check(isText(path), "peer", "text")

export const checkSend = (data: unknown, options: SendOptions): void => {
  checkNames(options, ofSend)
  const { contentType, filename, onProgress, receipt, signal } = options
  const isBody = typeof data === "string" || data instanceof Blob || data instanceof Uint8Array
  check(isBody, "what is sent", "text, a Blob or a Uint8Array")
  const isType = contentType === undefined || (typeof contentType === "string" && isMediaType(contentType))
  check(isType, "contentType", "a media type")
  check(isText(filename), "filename", "text")
  check(isSwitch(receipt), "receipt", "true or false")
  check(isFunction(onProgress), "onProgress", "a function")
  check(isSignal(signal), "signal", "an AbortSignal")
}

/**
 * Checks the limits of a relay, which would close the connection with all its sessions. `uris` are those of To-Path and From-Path.
 */
export const checkPaths = (uris: ReadonlyArray<string>, contentType = ""): void =>
  check(
    uris.length <= MAX_URIS + 1 && uris.join(" ").length + toUtf8(contentType).length <= PATHS,
    "peer",
    `of fewer URIs, or shorter ones`
  )

export const checkRefusal = (status: unknown): void =>
  check(status === undefined || isRefusal(status), "status", "from 400 to 599")
