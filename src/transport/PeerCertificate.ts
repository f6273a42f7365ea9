/** What the certificate of a peer proves: of whom, and until when (RFC 4976 §6.1, §6.3, §9.2). */
import type * as Clock from "effect/Clock"
import { X509Certificate } from "node:crypto"
import * as Net from "node:net"
import * as Tls from "node:tls"
import { monotonicMillis } from "../clock/Monotonic.ts"
import { canonicalHost } from "../protocol/Uri.ts"
import type { ConnectionFacts } from "./Connection.ts"
import { TlsAnswers } from "./TlsAnswers.ts"

/** Names and addresses of one certificate that are kept for its connection; the rest of them prove nothing. */
export const MAX_PEER_NAMES = 128

/** Certificates of a chain that are looked at: as many as OpenSSL takes. */
const MAX_DEPTH = 100

/**
 * Octets of a peer's certificate with its chain. Node has no setting for it, and OpenSSL, which takes 100 KB, keeps them as
 * long as the connection lives, in several times the memory.
 */
export const MAX_CERTIFICATES = 32_768
/** The same where it was not verified: to show one that proves nothing is allowed, and should cost as little as none. */
export const MAX_UNVERIFIED_CERTIFICATES = 4096

/**
 * Octets that come in by the end of a handshake beside certificates, and cannot be told from them: 8 KiB of hellos, signatures and
 * names of authorities, and 16 KiB of data, since Node reads as many at a time.
 */
export const HANDSHAKE = 24_576

/** What a verified certificate proves. */
export interface Proof {
  /** DNS names (lower case) and addresses. */
  readonly names: ReadonlyArray<string>
  readonly uris: ReadonlyArray<string>
  /** Milliseconds since 1970 at which the first certificate of its chain expires; `Infinity`: nothing is proved. */
  readonly until: number
}

/** The same as a connection has it. */
export type Proven = (stream: Net.Socket) => Pick<ConnectionFacts, "peerNames" | "peerNamesUntil" | "peerUris">

/** What a stream proves, by this clock: the time of the system, at which certificates expire, may be set anew. */
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
 * The names of one kind in a subjectAltName as Node prints it. Values with characters that could be mistaken for a
 * separator are quoted; a DNS name or an address has none of them, so quoted values are passed over.
 */
export const namesOf = (kind: string, subjectAltName: string | undefined): ReadonlyArray<string> =>
  [...(subjectAltName ?? "").matchAll(/(?:^|, )([^:,"]+):("(?:[^"\\]|\\.)*"|[^,"]*)/gy)]
    .filter(([, name, value]) => name === kind && !value!.startsWith("\""))
    .map(([, , value]) => value!)

/** The DNS names in a subjectAltName, in lower case. What looks like an address is none: for those is another kind. */
export const dnsNames = (subjectAltName: string | undefined): ReadonlyArray<string> =>
  namesOf("DNS", subjectAltName).map((name) => name.toLowerCase()).filter((name) => Net.isIP(name) === 0)

/**
 * The certificate of the peer alone. Node's `getPeerX509Certificate` takes those behind it away from OpenSSL and frees none: ten
 * KiB of each would stay for ever.
 */
export const certificateOf = (stream: Tls.TLSSocket): X509Certificate | undefined => {
  try {
    const shown: Partial<Tls.PeerCertificate> | null = stream.getPeerCertificate()
    return shown?.raw === undefined ? undefined : new X509Certificate(shown.raw)
  } catch {
    // Node throws at names that it cannot print.
    return undefined
  }
}

/**
 * Whether the peer has shown certificates of more octets than this; to be asked when the handshake ends. Node tells only those that
 * lead to its root, so all that came in counts. Later nobody could tell it from heads of records, and data of which the rest is not read.
 */
export const showsMoreThan = (stream: Tls.TLSSocket, octets: number): boolean =>
  (new TlsAnswers(stream).beside ?? 0) > HANDSHAKE + octets

/** As Node has it; each part may be missing. */
type Chained = Partial<Tls.DetailedPeerCertificate>

const read = new WeakMap<Tls.TLSSocket, Proof>()

/** What the peer has proved by a certificate that was verified. No name is read of any other one. */
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
    // Node throws at names that it cannot print.
    return NOTHING
  }
}

/**
 * When the first of a chain expires that was just verified. One behind the first that has expired already was none of it: peers go
 * on showing what an authority was once signed with by another (RFC 4158 §2.3).
 */
const endOf = (first: Chained): number => {
  const now = Date.now()
  let until = Date.parse(first.valid_to ?? "")
  let shown: Chained | undefined = first
  for (let depth = 0; shown !== undefined && depth < MAX_DEPTH; depth++) {
    const end = Date.parse(shown.valid_to ?? "")
    if (end > now) until = Math.min(until, end)
    // A root is its own issuer.
    shown = shown.issuerCertificate === shown ? undefined : shown.issuerCertificate
  }
  return until
}

/**
 * Whether a server's certificate is for the name; Node also accepts the common name of one without DNS names, which
 * RFC 4976 §9.2 does not. Called by Node, so it must not throw.
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
