/**
 * Finds the certificate for a name among many. OpenSSL takes long to check many certificates, or one with many names, and a
 * stranger may ask for another name with each handshake, so names are read only once.
 */
import type { X509Certificate } from "node:crypto"
import * as Net from "node:net"
import { canonicalHost } from "../protocol/Uri.ts"
import { dnsNames, namesOf } from "./PeerCertificate.ts"

/** The parts of a certificate that are used. */
export type Named = Pick<X509Certificate, "checkHost" | "checkIP" | "subjectAltName">

/** Whether a certificate is for a name or an address. */
export const isFor = (certificate: Named, host: string): boolean =>
  (Net.isIP(host) === 0 ? certificate.checkHost(host) : certificate.checkIP(host)) !== undefined

export class CertificateNames {
  readonly #certificates: Array<Named> = []
  /** The index of the first certificate for each name; names with a wildcard have `*` as the first label. */
  readonly #first = new Map<string, number>()
  /** Indexes of certificates that may be for names other than those listed in them: each is checked by OpenSSL. */
  readonly #others: Array<number> = []

  add(certificate: Named): void {
    const place = this.#certificates.push(certificate) - 1
    const { subjectAltName } = certificate
    const names = dnsNames(subjectAltName)
    if (!isPlain(names, subjectAltName)) this.#others.push(place)
    for (const name of [...names, ...namesOf("IP Address", subjectAltName).map(canonicalHost)]) {
      if (!this.#first.has(name)) this.#first.set(name, place)
    }
  }

  /** The index of the first certificate for a host, in the order of `add`; -1 if there is none. */
  find(host: string): number {
    const name = canonicalHost(host)
    const dot = name.indexOf(".")
    const known = [name, ...(dot === -1 ? [] : [`*${name.slice(dot)}`])].flatMap((one) => this.#first.get(one) ?? [])
    return [...known, ...this.#others].toSorted((a, b) => a - b)
      .find((place) => isFor(this.#certificates[place]!, host)) ?? -1
  }
}

/** Whether a certificate is for its listed names only, not for its common name, or names that match an unusual wildcard. */
const isPlain = (names: ReadonlyArray<string>, subjectAltName: string | undefined): boolean =>
  names.length > 0 && subjectAltName?.includes("\"") !== true && !names.some((name) => name.lastIndexOf("*") > 0) &&
  !names.some((name) => name.startsWith("*") && !name.startsWith("*."))
