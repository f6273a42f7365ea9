/**
 * Masks the secrets of start lines and header lines. A session-id is a secret, because anyone who knows it may send
 * to its owner; it is replaced by the label that the log uses. Of the credentials of an AUTH and its response (RFC
 * 7616), only parameters that are known to be harmless are shown.
 *
 * Input lines are octet strings, as `Head` reads them; the output is text without control characters.
 */
import { fromOctets } from "../protocol/digest/Digest.ts"
import { type Parameters, parseDigest, parseParameters } from "../protocol/digest/Parameters.ts"
import { sessionLabel } from "../protocol/Ident.ts"

/** Replaces a secret. */
export const MASK = "***"

/** Maximum number of characters of a line that are shown. */
const MAX_LINE = 1024

/**
 * Maximum number of characters of a value that are examined; more than are shown, because labels are shorter than
 * session-ids. Each session-id costs a hash.
 */
const MAX_VALUE = 2 * MAX_LINE

/** Maximum number of characters of all header lines of a frame that are shown. */
const MAX_LINES = 4096

/**
 * Matches an MSRP URI within any text, up to the end of its session-id. A user name may contain `;`, so everything up
 * to the first `/` counts as authority. Malformed URIs, with a misspelt scheme or missing slashes, are matched too,
 * because masking too much is safer than too little. Matching takes linear time.
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

/** Matches a password in a URI, which must not contain one (RFC 4975 §6). */
const PASSWORD = /\b(msrps?:\/\/[^/\s@:]*):[^/\s@]*@/gi

/** Replaces a session-id in a URI. */
export const labelled = (sessionId: string): string => `~${sessionLabel(sessionId)}`

/** Text with the session-ids of all MSRP URIs replaced by labels, and without passwords of URIs. */
export const maskUris = (text: string): string =>
  text.replace(PASSWORD, "$1@").replace(
    URI,
    (_, before: string, id: string) => `${before}/${id === "" ? "" : labelled(id)}`
  )

/**
 * Matches the rest of a URI that is broken by white space: everything between the first slash of the word, if there
 * is one, and the transport may be a session-id.
 */
const TORN = /(?<=^|\s)(?![^\s;]*\/\/[^\s/;])(\/?[^\s/;]*\/)?([^;\s]+)(?=;(?:tcp|wss?)(?![0-9a-z]))/gi

/** Masks session-ids in text that may be malformed. */
const maskTorn = (text: string): string =>
  maskUris(text).replace(TORN, (_, before = "", id: string) => `${before}${labelled(id)}`)

/** The session-ids of the URIs of a path, in order. */
export const sessionIdsOf = (path: string): Array<string> => Array.from(path.matchAll(URI), ([, , id]) => id!)

/**
 * Matches a session-id that this relay has made, outside of a URI; no other text looks like it, even if it is joined
 * to other characters.
 */
const OWN = /[a-z2-7]{24,}/g

/**
 * Minimum length of session-ids that are replaced outside of URIs: shorter ones can be guessed anyway (RFC 4975 §14.1
 * requires 80 bits), and may be ordinary words or host names.
 */
const LEAST_ID = 12

/** Maximum number of session-ids of one frame that are searched for outside of URIs. */
const MAX_IDS = 32

/** The session-ids of these lines, which may be repeated outside of URIs, as in the comment of a response. */
export const idsIn = (lines: ReadonlyArray<string>): ReadonlyArray<string> => {
  const ids = new Set<string>()
  for (const line of lines) {
    for (const id of sessionIdsOf(line.slice(0, MAX_VALUE))) {
      if (id.length >= LEAST_ID && ids.size < MAX_IDS) ids.add(id)
    }
  }
  // Longer ones first, because one may be the beginning of another.
  return Array.from(ids).toSorted((a, b) => b.length - a.length)
}

/** Text with session-ids outside of URIs replaced by labels. */
const maskIds = (text: string, ids: ReadonlyArray<string>): string => {
  let masked = text.replace(OWN, labelled)
  for (const id of ids) masked = masked.replaceAll(id, () => labelled(id))
  return masked
}

/** Parameters of RFC 7616 that contain no secret. */
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
/** Parameters that are written without quotation marks. */
const BARE: ReadonlySet<string> = new Set(["algorithm", "nc", "qop", "stale", "userhash", "username*"])

/** Any parameter may contain a URI. */
const shown = (name: string, value: string): string => HARMLESS.has(name) ? maskUris(value) : MASK

const printed = (parameters: Parameters): string =>
  Array.from(
    parameters,
    ([name, value]) => `${name}=${BARE.has(name) ? shown(name, value) : `"${shown(name, value)}"`}`
  )
    .join(", ")

/** Schemes whose names are shown. Any other word in their place may be a secret. */
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
 * Matches URIs whose session-id can be found, or that certainly have none: URIs by the grammar, or similar ones with
 * another scheme. A parameter without a value may be a misplaced secret, so it does not match.
 */
const CLEAR = /^[^\s/;,]*\/\/(?:[^\s/]+\/[^\s;]*|[^\s/;]+)(?:;(?:tcp|ws|[0-9a-z]+=[0-9a-z.]*))*$/i

/** Masks each URI of a path; one that is malformed is masked as a whole. */
const maskPath = (value: string): string => value.replace(/[^ \t]+/g, (uri) => CLEAR.test(uri) ? maskUris(uri) : MASK)

/**
 * Headers whose values contain more secrets than session-ids. Those of HTTP are not defined for MSRP, but may occur.
 */
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

/** Masks a start line or the text of an error; `ids` are the session-ids of its frame. */
export const maskLine = (line: string, ids: ReadonlyArray<string> = []): string => plain(maskIds(maskTorn(line), ids))

/** Masks a header line. A malformed line is not shown, because it may be anything, such as part of a body. */
export const maskHeader = (line: string, ids: ReadonlyArray<string> = []): string => {
  const [, name, value] = HEADER.exec(line) ?? []
  if (name === undefined || value === undefined) return `(a malformed line of ${line.length} octets)`
  const mask = values.get(name.toLowerCase())
  if (mask !== undefined) return plain(`${name}: ${maskIds(mask(value), ids)}`)
  const uris = paths.has(name.toLowerCase()) ? maskPath : maskTorn
  const more = value.length - MAX_VALUE
  return plain(`${name}: ${maskIds(uris(value.slice(0, MAX_VALUE)), ids)}${more > 0 ? `... (${more} more)` : ""}`)
}

/** Masks header lines; if they are too many or too long, only the first are shown. */
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
