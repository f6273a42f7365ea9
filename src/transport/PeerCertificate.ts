/** What the certificate of a peer proves: its names, and until when (RFC 4976 §6.1, §6.3, §9.2). */
import type * as Clock from "effect/Clock"
import { X509Certificate } from "node:crypto"
import * as Net from "node:net"
import * as Tls from "node:tls"
import { monotonicMillis } from "../clock/Monotonic.ts"
import { canonicalHost } from "../protocol/Uri.ts"
import type { ConnectionFacts } from "./Connection.ts"
import { TlsAnswers } from "./TlsAnswers.ts"

/** The most names and addresses of a certificate that are kept; further ones prove nothing. */
export const MAX_PEER_NAMES = 128

/** The most certificates of a chain that are examined: as many as OpenSSL accepts. */
const MAX_DEPTH = 100

/**
 * The most octets of a peer's certificate with its chain. Node has no option for it, and OpenSSL, which accepts 100 KB, keeps
 * them as long as the connection lives, in several times the memory.
 */
export const MAX_CERTIFICATES = 32_768
/** `MAX_CERTIFICATES` for one that is not verified: it is allowed, proves nothing, and must not cost more than none. */
export const MAX_UNVERIFIED_CERTIFICATES = 4096

/**
 * Octets besides certificates that may have come in at the end of a handshake, and cannot be distinguished from them: 8 KiB of
 * hellos, signatures and names of authorities, and 16 KiB of data, because Node reads that much at a time.
 */
export const HANDSHAKE = 24_576

/** What a verified certificate proves. */
interface Proof {
  /** DNS names (lower case) and IP addresses. */
  readonly names: ReadonlyArray<string>
  readonly uris: ReadonlyArray<string>
  /** Milliseconds since 1970 at which the first certificate of its chain expires; `Infinity`: nothing is proved. */
  readonly until: number
}

/** What a stream proves, as fields of `ConnectionFacts`. */
export type Proven = (stream: Net.Socket) => Pick<ConnectionFacts, "peerNames" | "peerNamesUntil" | "peerUris">

/** Converts the expiry of certificates to the monotonic clock when it is called: the time of day may be set later. */
export const makeProven = (clock: Clock.Clock): Proven => (stream) => {
  const { names, until, uris } = proofOf(stream)
  return until === Infinity
    ? { peerNames: names }
    : {
      peerNames: names,
      ...(uris.length === 0 ? {} : { peerUris: uris }),
      peerNamesUntil: monotonicMillis(clock) + until - clock.currentTimeMillisUnsafe()
    }
}

const NOTHING: Proof = { names: [], uris: [], until: Infinity }

/**
 * The names of one kind in a subjectAltName as Node prints it. Values with characters that could be mistaken for a separator
 * are quoted; DNS names and addresses have no such characters, so quoted values are skipped.
 */
export const namesOf = (kind: string, subjectAltName: string | undefined): ReadonlyArray<string> =>
  [...(subjectAltName ?? "").matchAll(/(?:^|, )([^:,"]+):("(?:[^"\\]|\\.)*"|[^,"]*)/gy)]
    .filter(([, name, value]) => name === kind && !value!.startsWith("\""))
    .map(([, , value]) => value!)

/** The DNS names in a subjectAltName, in lower case, without those that look like IP addresses, which have a kind of their own. */
export const dnsNames = (subjectAltName: string | undefined): ReadonlyArray<string> =>
  namesOf("DNS", subjectAltName).map((name) => name.toLowerCase()).filter((name) => Net.isIP(name) === 0)

/**
 * The certificate of the peer, without its chain. Node's `getPeerX509Certificate` takes the chain from OpenSSL without freeing
 * it: that would leak ten KiB per call.
 */
export const certificateOf = (stream: Tls.TLSSocket): X509Certificate | undefined => {
  try {
    const shown: Partial<Tls.PeerCertificate> | null = stream.getPeerCertificate()
    return shown?.raw === undefined ? undefined : new X509Certificate(shown.raw)
  } catch {
    // Node throws if it cannot print a name.
    return undefined
  }
}

/**
 * Whether the peer has sent certificates of more octets than this; to be called when the handshake ends. Node returns only
 * those that lead to the root, so all octets that came in are counted. Later these would include the headers of records, and
 * data not read yet.
 */
export const showsMoreThan = (stream: Tls.TLSSocket, octets: number): boolean =>
  (new TlsAnswers(stream).beside ?? 0) > HANDSHAKE + octets

/** A certificate as Node returns it; each field may be missing. */
type Chained = Partial<Tls.DetailedPeerCertificate>

const read = new WeakMap<Tls.TLSSocket, Proof>()

/** What the peer has proved by a verified certificate. The names of others are not read. */
export const proofOf = (stream: Net.Socket): Proof => {
  if (!(stream instanceof Tls.TLSSocket)) return NOTHING
  let proof = read.get(stream)
  if (proof === undefined) read.set(stream, proof = readProof(stream))
  return proof
}

const readProof = (stream: Tls.TLSSocket): Proof => {
  if (!stream.authorized) return NOTHING
  try {
    const first: Chained | null = stream.getPeerCertificate(true)
    const names = [
      ...dnsNames(first?.subjectaltname),
      ...namesOf("IP Address", first?.subjectaltname).map(canonicalHost)
    ]
    const uris = namesOf("URI", first?.subjectaltname).slice(0, MAX_PEER_NAMES)
    return first === null || names.length + uris.length === 0
      ? NOTHING
      : { names: names.slice(0, MAX_PEER_NAMES), uris, until: endOf(first) }
  } catch {
    // Node throws if it cannot print a name.
    return NOTHING
  }
}

/**
 * When the first certificate of a chain that was just verified expires, in milliseconds since 1970. An issuer's certificate
 * that has expired already was not needed for it: peers keep sending old cross-certificates (RFC 4158 §2.3).
 */
const endOf = (first: Chained): number => {
  const now = Date.now()
  let until = Date.parse(first.valid_to ?? "")
  let shown: Chained | undefined = first
  for (let depth = 0; shown !== undefined && depth < MAX_DEPTH; depth++) {
    const end = Date.parse(shown.valid_to ?? "")
    if (end > now) until = Math.min(until, end)
    // The root is its own issuer.
    shown = shown.issuerCertificate === shown ? undefined : shown.issuerCertificate
  }
  return until
}

/**
 * Checks that a server's certificate is for the name. Unlike Node, it does not accept a common name instead of DNS names (RFC
 * 4976 §9.2). Called by Node, so it must not throw.
 */
export const checkServerIdentity: typeof Tls.checkServerIdentity = (name, certificate) => {
  try {
    const fault = Tls.checkServerIdentity(name, certificate)
    if (fault !== undefined) return fault
    return Net.isIP(name) !== 0 || dnsNames(certificate.subjectaltname).length > 0
      ? undefined
      : Object.assign(new Error("the certificate has no DNS name"), { code: "has no DNS name" })
  } catch (error) {
    return error instanceof Error ? error : new Error("the names of the certificate cannot be read")
  }
}
