/**
 * What of a start line and of header lines may be shown: everything but secrets. A session-id is one, since whoever knows it
 * may write to its owner: its label stands for it, the one that the log has. Of what an AUTH and its answer carry (RFC 7616)
 * only those parameters are shown that are known to be harmless.
 *
 * Lines are octet strings, as `Head` reads them; what comes out is text without control characters.
 */
import { fromOctets } from "../protocol/digest/Digest.ts"
import { type Parameters, parseDigest, parseParameters } from "../protocol/digest/Parameters.ts"
import { sessionLabel } from "../protocol/Ident.ts"

/** In place of a secret. */
export const MASK = "***"

/** Characters of one line that are shown. */
const MAX_LINE = 1024

/** Characters of one value that are looked at: session-ids may be longer than what stands for them. Each costs a hash. */
const MAX_VALUE = 2 * MAX_LINE

/** Characters of all header lines of a frame that are shown. */
const MAX_LINES = 4096

/**
 * An MSRP URI, in whatever it stands, as far as the end of its session-id. A user name may have `;` in it, so that all up
 * to the first `/` counts as authority. What is no URI by the grammar is rather masked too much: a scheme may be misspelt, or
 * slashes may be missing. It takes a time that is linear in the length of the text.
 */
const URI = new RegExp(
  String.raw`(?<=^|[\s/;,])(` +
    // scheme://authority
    String.raw`[^\s/;,]*//[^\s/]*|` +
    // msrp:/authority, then msrp:authority
    String.raw`(?=[^\s/;,]*msrps?:)[^\s/;,]*(?<=:)/(?!/)[^\s/]*|` +
    String.raw`(?=[^\s/;,]*msrps?:)[^\s/;,]*(?=/(?!/))` +
    // the session-id
    String.raw`)/([^;\s]*)`,
  "gi"
)

/** The same without a session-id. It must have no password (RFC 4975 §6), and yet may. */
const PASSWORD = /\b(msrps?:\/\/[^/\s@:]*):[^/\s@]*@/gi

/** What stands for a session-id in a URI. */
export const labelled = (sessionId: string): string => `~${sessionLabel(sessionId)}`

/** Text with labels in place of the session-ids of all MSRP URIs in it. */
export const maskUris = (text: string): string =>
  text.replace(PASSWORD, "$1@").replace(
    URI,
    (_, before: string, id: string) => `${before}/${id === "" ? "" : labelled(id)}`
  )

/**
 * What is left of a URI into which white space has got: all between the word's first slash, if there is one, and the transport
 * may be a session-id.
 */
const TORN = /(?<=^|\s)(?![^\s;]*\/\/[^\s/;])(\/?[^\s/;]*\/)?([^;\s]+)(?=;(?:tcp|wss?)(?![0-9a-z]))/gi

/** The same for a text that need not be well-formed. */
const maskTorn = (text: string): string =>
  maskUris(text).replace(TORN, (_, before = "", id: string) => `${before}${labelled(id)}`)

/** The session-ids of the URIs of a path, the first URI's first. */
export const sessionIdsOf = (path: string): Array<string> => Array.from(path.matchAll(URI), ([, , id]) => id!)

/** A session-id of the relay's own, outside of a URI: nothing else looks like it, whatever it is grown together with. */
const OWN = /[a-z2-7]{24,}/g

/** Shorter ones can be guessed (RFC 4975 §14.1 wants 80 bits), and may be a word or a host as well. */
const LEAST_ID = 12

/** Session-ids of one frame that are looked for outside of URIs. */
const MAX_IDS = 32

/** The session-ids in these lines that may be repeated where no URI is, as in the comment of an answer. */
export const idsIn = (lines: ReadonlyArray<string>): ReadonlyArray<string> => {
  const ids = new Set<string>()
  for (const line of lines) {
    for (const id of sessionIdsOf(line.slice(0, MAX_VALUE))) {
      if (id.length >= LEAST_ID && ids.size < MAX_IDS) ids.add(id)
    }
  }
  // One may begin as another does.
  return Array.from(ids).toSorted((a, b) => b.length - a.length)
}

/** Text whose URIs are masked, with labels in place of session-ids that stand by themselves. */
const maskIds = (text: string, ids: ReadonlyArray<string>): string => {
  let masked = text.replace(OWN, labelled)
  for (const id of ids) masked = masked.replaceAll(id, () => labelled(id))
  return masked
}

/** Parameters of RFC 7616 that prove nothing and open nothing. */
const HARMLESS: ReadonlySet<string> = new Set([
  "algorithm",
  "charset",
  "domain",
  "nc",
  "qop",
  "realm",
  "stale",
  "uri",
  "userhash",
  "username",
  "username*"
])
/** Written without quotation marks. */
const BARE: ReadonlySet<string> = new Set(["algorithm", "nc", "qop", "stale", "userhash", "username*"])

/** Any of them may have a URI in it. */
const shown = (name: string, value: string): string => HARMLESS.has(name) ? maskUris(value) : MASK

const printed = (parameters: Parameters): string =>
  Array.from(
    parameters,
    ([name, value]) => `${name}=${BARE.has(name) ? shown(name, value) : `"${shown(name, value)}"`}`
  )
    .join(", ")

/** Schemes whose names are shown: what stands where a scheme should may be a secret by itself. */
const SCHEME = /^[ \t]*(Basic|Bearer|Digest)[ \t]/i

const credentials = (value: string): string => {
  const parsed = parseDigest(value)
  if (parsed._tag === "Digest") return `Digest ${printed(parsed.parameters)}`
  const scheme = SCHEME.exec(value)?.[1]
  return scheme === undefined ? MASK : `${scheme} ${MASK}`
}

const information = (value: string): string => {
  const parsed = parseParameters(value)
  return "_tag" in parsed ? MASK : printed(parsed)
}

/**
 * Where a session-id can be found, or that there is none: in what is a URI by the grammar, or like one but for its scheme.
 * A parameter that is only a word may be one that got there by a slip.
 */
const CLEAR = /^[^\s/;,]*\/\/(?:[^\s/]+\/[^\s;]*|[^\s/;]+)(?:;(?:tcp|ws|[0-9a-z]+=[0-9a-z.]*))*$/i

/** Each URI of a path: where it is not clear, all of it is masked. */
const maskPath = (value: string): string => value.replace(/[^ \t]+/g, (uri) => CLEAR.test(uri) ? maskUris(uri) : MASK)

/** Values that have more secrets in them than session-ids. Those of HTTP are no headers of MSRP, and may be there. */
const values: ReadonlyMap<string, (value: string) => string> = new Map([
  ["authorization", credentials],
  ["www-authenticate", credentials],
  ["proxy-authorization", credentials],
  ["proxy-authenticate", credentials],
  ["authentication-info", information],
  ["proxy-authentication-info", information],
  ["cookie", () => MASK],
  ["set-cookie", () => MASK]
])

const paths: ReadonlySet<string> = new Set(["to-path", "from-path", "use-path"])

const HEADER = /^([A-Za-z][!#$%&'*+\-.^_`|~0-9A-Za-z]*):[ \t]*([^]*)$/

const plain = (text: string): string => {
  const whole = fromOctets(text).replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/gu, "\u{fffd}")
  const more = whole.length - MAX_LINE
  return more > 0 ? `${whole.slice(0, MAX_LINE).toWellFormed()}... (${more} more)` : whole
}

/** A start line, or the text of an error; `ids` are those of its frame. */
export const maskLine = (line: string, ids: ReadonlyArray<string> = []): string => plain(maskIds(maskTorn(line), ids))

/** A header line. What is none by the grammar may be anything, a body too, and is not shown. */
export const maskHeader = (line: string, ids: ReadonlyArray<string> = []): string => {
  const [, name, value] = HEADER.exec(line) ?? []
  if (name === undefined || value === undefined) return `(a malformed line of ${line.length} octets)`
  const mask = values.get(name.toLowerCase())
  if (mask !== undefined) return plain(`${name}: ${maskIds(mask(value), ids)}`)
  const uris = paths.has(name.toLowerCase()) ? maskPath : maskTorn
  const more = value.length - MAX_VALUE
  return plain(`${name}: ${maskIds(uris(value.slice(0, MAX_VALUE)), ids)}${more > 0 ? `... (${more} more)` : ""}`)
}

/** Header lines, as they may be shown; of very many or very long ones the first. */
export const maskHeaders = (
  lines: ReadonlyArray<string>,
  ids: ReadonlyArray<string> = []
): ReadonlyArray<string> => {
  const masked: Array<string> = []
  let length = 0
  for (const line of lines) {
    const one = maskHeader(line, ids)
    length += one.length
    if (length > MAX_LINES) return [...masked, `(${lines.length - masked.length} more lines)`]
    masked.push(one)
  }
  return masked
}
