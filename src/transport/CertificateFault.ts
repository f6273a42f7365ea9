/** The error for a peer whose certificate is not accepted, in words. */
import type { X509Certificate } from "node:crypto"
import { printable } from "../logging/Printable.ts"

/** Characters of the names in a certificate that the message shows. */
const MAX_NAMES = 200

const namesOf = (certificate: X509Certificate | undefined): string => {
  const names = certificate?.subjectAltName ?? "nobody"
  return `${printable(names, MAX_NAMES)}${names.length > MAX_NAMES ? "..." : ""}`
}

/** A certificate that is not accepted. `code`: of OpenSSL or Node, such as `CERT_HAS_EXPIRED`, or a phrase of this relay. */
export class CertificateFault extends Error {
  override readonly name = "CertificateFault"
  readonly code: string

  constructor(code: string, certificate: X509Certificate | undefined, host: string) {
    super(`the certificate ${describe(code, certificate, host)}`)
    this.code = code
  }
}

const describe = (code: string, certificate: X509Certificate | undefined, host: string): string => {
  switch (code) {
    case "CERT_HAS_EXPIRED":
      return certificate === undefined || certificate.validToDate.getTime() > Date.now()
        ? "or one that it depends on has expired"
        : `expired on ${certificate.validToDate.toISOString()}`
    case "CERT_NOT_YET_VALID":
      return certificate === undefined
        ? "is not valid yet"
        : `is not valid before ${certificate.validFromDate.toISOString()}`
    case "DEPTH_ZERO_SELF_SIGNED_CERT":
      return "is self-signed"
    case "SELF_SIGNED_CERT_IN_CHAIN":
    case "UNABLE_TO_GET_ISSUER_CERT":
    case "UNABLE_TO_GET_ISSUER_CERT_LOCALLY":
    case "UNABLE_TO_VERIFY_LEAF_SIGNATURE":
      return `is signed by an authority that is not trusted here (${code})`
    case "ERR_TLS_CERT_ALTNAME_INVALID":
      return `is not for ${host}, but for ${namesOf(certificate)}`
    default:
      // A code that has no words here, or a phrase of this relay.
      return /^[A-Z0-9_]+$/.test(code) ? `was not accepted (${code})` : code
  }
}
