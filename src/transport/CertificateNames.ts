/**
 * Which of many certificates is for a name. OpenSSL takes long to look at many, or at one with many names, and a stranger may ask
 * for another name with each handshake: so their names are read once.
 */
import type { X509Certificate } from "node:crypto"
import * as Net from "node:net"
import { canonicalHost } from "../protocol/Uri.ts"
import { dnsNames, namesOf } from "./PeerCertificate.ts"

/** What is asked of a certificate. */
export type Named = Pick<X509Certificate, "checkHost" | "checkIP" | "subjectAltName">

/** Whether a certificate is for a name or an address. */
export const isFor = (certificate: Named, host: string): boolean =>
  (Net.isIP(host) === 0 ? certificate.checkHost(host) : certificate.checkIP(host)) !== undefined

export class CertificateNames {
  readonly #certificates: Array<Named> = []
  /** The first of those that have such a name; one for all names of a domain has `*` in place of the first label. */
  readonly #first = new Map<string, number>()
  /** Those that may be for a name which is not one of theirs as it stands there: each is looked at. */
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

  /** The place of the first that is for it, as they were added; -1: none is. */
  find(host: string): number {
    const name = canonicalHost(host)
    const dot = name.indexOf(".")
    const known = [name, ...(dot === -1 ? [] : [`*${name.slice(dot)}`])].flatMap((one) => this.#first.get(one) ?? [])
    return [...known, ...this.#others].toSorted((a, b) => a - b)
      .find((place) => isFor(this.#certificates[place]!, host)) ?? -1
  }
}

/** It is for its names, and for no other: else that may be its common name, or one that fits a pattern. */
const isPlain = (names: ReadonlyArray<string>, subjectAltName: string | undefined): boolean =>
  names.length > 0 && subjectAltName?.includes("\"") !== true && !names.some((name) => name.lastIndexOf("*") > 0) &&
  !names.some((name) => name.startsWith("*") && !name.startsWith("*."))
