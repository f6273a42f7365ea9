/**
 * The client's part of AUTH: HTTP Digest with MD5 (RFC 4976 §5.1).
 */
import { hash, randomBytes } from "node:crypto"

export interface Account {
  readonly user: string
  readonly password: string
}

const md5 = (text: string): string => hash("md5", text, "hex")

/** The values of a header in a response. */
export const headerValues = (frame: string, name: string): Array<string> =>
  [...frame.matchAll(new RegExp(`\r\n${name}: *([^\r]*)`, "gi"))].map((match) => match[1]!)

const parameter = (challenge: string, name: string): string | undefined => {
  const match = new RegExp(`[ ,]${name}=(?:"([^"]*)"|([^", ]*))`, "i").exec(challenge)
  return match?.[1] ?? match?.[2]
}

/**
 * The value of Authorization that answers a 401. `uri`: the URI that the AUTH is for. `undefined` if no challenge has MD5.
 */
export const authorization = (response: string, uri: string, account: Account): string | undefined => {
  const challenge = headerValues(response, "WWW-Authenticate").find((value) =>
    /^Digest /i.test(value) && (parameter(value, "algorithm") ?? "MD5").toUpperCase() === "MD5"
  )
  if (challenge === undefined) return undefined
  const realm = parameter(challenge, "realm") ?? ""
  const nonce = parameter(challenge, "nonce") ?? ""
  const opaque = parameter(challenge, "opaque")
  const cnonce = randomBytes(8).toString("hex")
  const digest = md5([
    md5(`${account.user}:${realm}:${account.password}`),
    nonce,
    "00000001",
    cnonce,
    "auth",
    md5(`AUTH:${uri}`)
  ].join(":"))
  return `Digest username="${account.user}", realm="${realm}", nonce="${nonce}", uri="${uri}", qop=auth, ` +
    `nc=00000001, cnonce="${cnonce}", response="${digest}", algorithm=MD5` +
    (opaque === undefined ? "" : `, opaque="${opaque}"`)
}
