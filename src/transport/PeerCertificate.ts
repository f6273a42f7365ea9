/** What the certificate of a peer proves: of whom, and until when (RFC 4976 §6.1, §6.3, §9.2). */
import type * as Clock from "effect/Clock"
import type { X509Certificate } from "node:crypto"
import * as Net from "node:net"
import * as Tls from "node:tls"
import { monotonicMillis } from "../clock/Monotonic.ts"
import { canonicalHost } from "../protocol/Uri.ts"
import type { ConnectionFacts } from "./Connection.ts"

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

/** What a verified certificate proves. */
export interface Proof {
  /** DNS names (lower case) and addresses. */
  readonly names: ReadonlyArray<string>
  readonly uris: ReadonlyArray<string>
  /** Milliseconds since 1970 at which the first certificate of its chain expires; `Infinity`: nothing is proved. */
  readonly until: number
  /** The peer has shown more certificates than may be kept of it. */
  readonly tooLarge: boolean
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

const NOTHING: Proof = { names: [], uris: [], until: Infinity, tooLarge: false }
const TOO_LARGE: Proof = { ...NOTHING, tooLarge: true }

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

/** What was read of each: the handle that Node gives for a chain takes it out of the connection, so it is asked for once. */
const read = new WeakMap<Tls.TLSSocket, Proof>()

/** What the peer has proved by a certificate that was verified. No name is read of any other one. */
export const proofOf = (stream: Net.Socket): Proof => {
  if (!(stream instanceof Tls.TLSSocket)) return NOTHING
  let proof = read.get(stream)
  if (proof === undefined) read.set(stream, proof = readProof(stream))
  return proof
}

const readProof = (stream: Tls.TLSSocket): Proof => {
  try {
    const first = stream.getPeerX509Certificate()
    if (first === undefined) return NOTHING
    const limit = stream.authorized ? MAX_CERTIFICATES : MAX_UNVERIFIED_CERTIFICATES
    let octets = 0
    let until = Infinity
    let certificate: X509Certificate | undefined = first
    for (let depth = 0; certificate !== undefined && depth < MAX_DEPTH; depth++) {
      octets += certificate.raw.length
      if (octets > limit) return TOO_LARGE
      until = Math.min(until, certificate.validToDate.getTime())
      certificate = certificate.issuerCertificate
    }
    if (!stream.authorized) return NOTHING
    const { subjectAltName } = first
    const names = [...dnsNames(subjectAltName), ...namesOf("IP Address", subjectAltName).map(canonicalHost)]
    const uris = namesOf("URI", subjectAltName).slice(0, MAX_PEER_NAMES)
    return names.length + uris.length === 0
      ? NOTHING
      : { names: names.slice(0, MAX_PEER_NAMES), uris, until, tooLarge: false }
  } catch {
    // Node throws at names that it cannot print.
    return NOTHING
  }
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
