/**
 * What a page asks for and cannot be used is `Invalid`, before anything is made of it. By hand: `Schema` would make the
 * bundle longer by a quarter.
 */
import { isRefusal } from "../protocol/Status.ts"
import type { ConnectOptions, SendOptions, SessionOptions } from "./Api.ts"
import { MsrpError } from "./MsrpError.ts"

const check = (isRight: boolean, option: string, what: string): void => {
  if (!isRight) throw new MsrpError("Invalid", `${option} must be ${what}`)
}

const isText = (value: unknown): boolean => value === undefined || typeof value === "string"
const isFunction = (value: unknown): boolean => value === undefined || typeof value === "function"
const isWhole = (value: unknown): boolean => value === undefined || (Number.isSafeInteger(value) && Number(value) > 0)

export const checkConnect = ({ credentials, expires, password, relay, username }: ConnectOptions): void => {
  check(isText(username), "username", "text")
  check(isText(password), "password", "text")
  check(isFunction(credentials), "credentials", "a function")
  check(isText(relay), "relay", "text")
  check(isWhole(expires), "expires", "a whole number above 0")
}

export const checkSession = ({ accept, maxSize }: SessionOptions): void => {
  const isList = Array.isArray(accept) && accept.every((type) => typeof type === "string")
  check(accept === undefined || isList, "accept", "a list of text")
  check(maxSize === Infinity || isWhole(maxSize), "maxSize", "a whole number above 0")
}

export const checkPeer = (path: unknown): void => check(isText(path), "peer", "text")

export const checkSend = (data: unknown, { contentType, filename, onProgress }: SendOptions): void => {
  const isBody = typeof data === "string" || data instanceof Blob || data instanceof Uint8Array
  check(isBody, "what is sent", "text, a Blob or a Uint8Array")
  check(isText(contentType) && contentType !== "", "contentType", "text")
  check(isText(filename), "filename", "text")
  check(isFunction(onProgress), "onProgress", "a function")
}

export const checkRefusal = (status: unknown): void =>
  check(status === undefined || isRefusal(status), "status", "from 400 to 599")
