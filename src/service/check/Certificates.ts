/** Checks that clients and other relays accept the relay's certificates, for all names of the relay. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { X509Certificate } from "node:crypto"
import * as Net from "node:net"
import * as Tls from "node:tls"
import { canonicalHost, type MsrpUri } from "../../protocol/Uri.ts"
import { checkServerIdentity } from "../../transport/PeerCertificate.ts"
import type { SettingsShape } from "../Settings.ts"
import { withoutImplied } from "../settings/checks/Addresses.ts"
import { certificatesIn } from "../settings/Pem.ts"
import { concernOf, isValid, validityOf } from "../settings/Validity.ts"
import { type Finding, findingsOf } from "./Finding.ts"

const { ok, problem, skipped, warning } = findingsOf("certificates")

/** Extended key usages (RFC 5280 §4.2.1.12): server, client, and any. */
const SERVER = "1.3.6.1.5.5.7.3.1"
const CLIENT = "1.3.6.1.5.5.7.3.2"
const ANY = "2.5.29.37.0"

/** Maximum number of certificates of one file that are checked. */
const MAX_CHAIN = 32

const DAY = 86_400_000

/** A certificate and the certificates that follow it in its file. */
interface Presented {
  readonly path: string
  readonly own: X509Certificate
  readonly chain: ReadonlyArray<X509Certificate>
}

/**
 * The certificate and key of each pair are readable and belong together, because the settings are invalid otherwise.
 */
export const checkCertificates = Effect.fnUntraced(function*(
  { relay, selfSigned, tls, tlsFiles }: SettingsShape
): Effect.fn.Return<ReadonlyArray<Finding>> {
  const now = yield* Clock.currentTimeMillis
  const roots = tls.ca === undefined ? [] : certificatesOf(tls.ca)
  const ofRoots = roots.filter((root) => !isValid(validityOf(root), now)).map((root) =>
    warning(tlsFiles.ca!, `${nameOf(root)} ${concernOf(validityOf(root), now)}`)
  )
  if (selfSigned !== undefined) {
    return [
      ...ofRoots,
      ok("", `none is configured: a self-signed one is made at each start, for ${selfSigned.join(", ")}`)
    ]
  }
  const texts = tls.cert === undefined ? [] : [tls.cert, ...(tls.others ?? []).map(({ cert }) => cert)]
  const presented = texts.flatMap((text, index): ReadonlyArray<Presented> => {
    const [own, ...chain] = certificatesOf(text)
    return own === undefined ? [] : [{ path: tlsFiles.cert[index]!, own, chain }]
  })
  if (presented.length === 0) return [...ofRoots, skipped("", "no listener has TLS")]
  const trusted = tls.ca === undefined ? publicRoots() : roots
  return [
    ...presented.flatMap((one) => [timeOf(one, now), ...usagesOf(one), ...chainOf(one, trusted, now)]),
    ...namesOf(presented, [...relay.uris, ...relay.usePath ?? []]),
    ...ofRoots
  ]
})

const timeOf = ({ own, path }: Presented, now: number): Finding => {
  const validity = validityOf(own)
  const concern = concernOf(validity, now)
  const days = Math.floor((validity.to - now) / DAY)
  return concern === undefined
    ? ok(path, `valid for ${days} more day${days === 1 ? "" : "s"}, until ${new Date(validity.to).toISOString()}`)
    : (isValid(validity, now) ? warning : problem)(path, concern)
}

/** Without the extension a certificate is valid for every usage. */
const usagesOf = ({ own, path }: Presented): ReadonlyArray<Finding> => {
  const usages: ReadonlyArray<string> | undefined = own.keyUsage
  if (usages === undefined || usages.includes(ANY)) return []
  if (!usages.includes(SERVER)) {
    return [problem(path, "is not for servers: its extended key usage has no serverAuth, so clients refuse it")]
  }
  return usages.includes(CLIENT)
    ? []
    : [
      warning(
        path,
        "is not for clients (its extended key usage has no clientAuth): other relays will not recognize this relay by it"
      )
    ]
}

/**
 * Follows the chain from the certificate to a known root, each certificate being issued by the next (RFC 8446
 * §4.4.2).
 */
const chainOf = (
  { chain, own, path }: Presented,
  trusted: ReadonlyArray<X509Certificate>,
  now: number
): ReadonlyArray<Finding> => {
  if (isSelfSigned(own)) {
    return [warning(path, "is self-signed: clients accept it only if they are configured to")]
  }
  const findings: Array<Finding> = []
  const left = [...chain]
  let at = own
  for (;;) {
    const here = at
    if (trusted.some((root) => isIssuedBy(here, root))) break
    const next = left.findIndex((one) => isIssuedBy(here, one))
    if (next === -1) {
      const issuer = oneLine(here.issuer)
      return [
        ...findings,
        warning(
          path,
          `its chain does not lead to a root that this machine trusts: the certificate of ${issuer} is missing, or only you trust it`,
          `add the intermediate certificates after the first one in ${path}`
        )
      ]
    }
    if (next > 0) {
      findings.push(warning(path, "the certificates of its chain are in the wrong order: some clients refuse that"))
    }
    at = left.splice(next, 1)[0]!
    left.splice(0, next)
    if (!isValid(validityOf(at), now)) {
      findings.push(problem(path, `in its chain ${nameOf(at)} ${concernOf(validityOf(at), now)}`))
    }
    // A root at the end of the file is of no use: peers either know it already, or do not trust it.
    if (isSelfSigned(at)) {
      if (!trusted.some(({ fingerprint256 }) => fingerprint256 === at.fingerprint256)) {
        findings.push(
          warning(path, `this machine does not trust its root ${nameOf(at)}: clients must be configured to trust it`)
        )
      }
      break
    }
  }
  return findings.length > 0 ? findings : [ok(path, "its chain leads to a root that this machine trusts")]
}

/** Checks that the certificate presented for each name or address of the relay is valid for it (RFC 6125 §6.4). */
const namesOf = (presented: ReadonlyArray<Presented>, uris: ReadonlyArray<MsrpUri>): ReadonlyArray<Finding> => {
  const hosts = new Set(
    withoutImplied(uris).filter(({ scheme }) => scheme === "msrps").map(({ host }) => canonicalHost(host))
  )
  return [...hosts].map((host) => {
    // SNI contains no addresses (RFC 6066 §3), so the first certificate is presented for them.
    const shown = Net.isIP(host) === 0 ? presented : presented.slice(0, 1)
    const fit = shown.find(({ own }) => isFor(own, host))
    return fit === undefined
      ? problem(
        host,
        `no certificate is for it: clients that use this name will refuse ${
          shown.map(({ own, path }) => `${path}, which is for ${ownNames(own)}`).join("; ")
        }`
      )
      : ok(host, `${fit.path} is for it`)
  })
}

/** Matches a name as the relay itself, and other clients, match a server's certificate. */
const isFor = (certificate: X509Certificate, host: string): boolean =>
  checkServerIdentity(host, certificate.toLegacyObject()) === undefined

/** Maximum number of names in a message. */
const MAX_NAMES = 5

const ownNames = ({ subjectAltName }: X509Certificate): string => {
  const names = (subjectAltName ?? "").split(", ").filter((one) => one !== "").map((one) => one.replace(/^[^:]*:/, ""))
  if (names.length === 0) return "no name at all (there is no subjectAltName)"
  const more = names.length > MAX_NAMES ? ` and ${names.length - MAX_NAMES} more` : ""
  return names.slice(0, MAX_NAMES).join(", ") + more
}

const isIssuedBy = (certificate: X509Certificate, issuer: X509Certificate): boolean =>
  certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)

/** Whether a certificate is signed with its own key, even if it may not sign others. */
const isSelfSigned = (certificate: X509Certificate): boolean =>
  certificate.issuer === certificate.subject && certificate.verify(certificate.publicKey)

/** The certificates of a PEM file. All are valid, because the settings are invalid otherwise. */
const certificatesOf = (text: string): ReadonlyArray<X509Certificate> =>
  certificatesIn(text).slice(0, MAX_CHAIN).map((block) => new X509Certificate(block))

/** The roots that Node trusts, and those of the system. */
const publicRoots = (): ReadonlyArray<X509Certificate> =>
  [...new Set([...Tls.getCACertificates("default"), ...Tls.getCACertificates("system")])].flatMap((text) => {
    try {
      return [new X509Certificate(text)]
    } catch {
      return []
    }
  })

const nameOf = ({ subject }: X509Certificate): string => oneLine(subject)

/** A distinguished name on one line. */
const oneLine = (name: string): string => name.replaceAll("\n", ", ") || "somebody without a name"
