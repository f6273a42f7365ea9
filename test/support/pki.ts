import * as Redacted from "effect/Redacted"
import { generate } from "selfsigned"
import type { KeyPair } from "../../src/transport/Certificates.ts"

export type { KeyPair } from "../../src/transport/Certificates.ts"

const ec = { keyType: "ec", curve: "P-256", algorithm: "sha256" } as const
const HOUR = 3_600_000

const root = await generate([{ name: "commonName", value: "test root" }], {
  ...ec,
  extensions: [
    { name: "basicConstraints", cA: true, critical: true },
    { name: "keyUsage", keyCertSign: true, cRLSign: true, critical: true }
  ]
})

/** The root which signed the others (PEM). */
export const ca = root.cert

const issue = async (
  names: Array<{ type: 2; value: string } | { type: 7; ip: string }>,
  options: {
    readonly commonName?: string
    readonly hoursFromNow?: number
    readonly signed?: boolean
    readonly rsa?: boolean
    readonly by?: { readonly cert: string; readonly private: string }
    readonly usages?: { readonly serverAuth?: boolean; readonly clientAuth?: boolean }
  } = {}
): Promise<KeyPair> => {
  const { by = root, usages = { serverAuth: true, clientAuth: true } } = options
  const end = Date.now() + (options.hoursFromNow ?? 1) * HOUR
  const made = await generate([{ name: "commonName", value: options.commonName ?? "test" }], {
    ...(options.rsa === true ? { keyType: "rsa", algorithm: "sha256" } as const : ec),
    ...(options.signed === false ? {} : { ca: { key: by.private, cert: by.cert } }),
    notBeforeDate: new Date(end - 24 * HOUR),
    notAfterDate: new Date(end),
    extensions: [
      { name: "basicConstraints", cA: false },
      { name: "keyUsage", digitalSignature: true, keyEncipherment: options.rsa === true },
      { name: "extKeyUsage", ...usages },
      ...(names.length === 0 ? [] : [{ name: "subjectAltName" as const, altNames: names }])
    ]
  })
  return { cert: made.cert, key: Redacted.make(made.private) }
}

const loopback = [{ type: 2, value: "localhost" }, { type: 7, ip: "127.0.0.1" }, { type: 7, ip: "::1" }] as const

/** A relay of one address. */
export const issueFor = (ip: string, options: { readonly hoursFromNow?: number } = {}): Promise<KeyPair> =>
  issue([{ type: 7, ip }], options)

export const localhost = await issue([...loopback])
export const otherLocalhost = await issue([...loopback])
export const relay = await issue([{ type: 2, value: "Relay.Example.com" }, { type: 2, value: "b.example.com" }])
export const expired = await issue([...loopback], { hoursFromNow: -1 })
export const selfSigned = await issue([...loopback], { signed: false })
export const commonNameOnly = await issue([], { commonName: "localhost" })
export const rsa = await issue([...loopback], { rsa: true, signed: false })

/** A client of these DNS names, whatever they look like. */
export const issueWith = (
  names: ReadonlyArray<string>,
  options: {
    readonly hoursFromNow?: number
    readonly signed?: boolean
    readonly usages?: { readonly serverAuth?: boolean; readonly clientAuth?: boolean }
  } = {}
): Promise<KeyPair> => issue(names.map((value) => ({ type: 2, value })), options)

/** A certificate of an authority that nobody needs here (PEM): the name of the root, signed by another, and over for an hour. */
export const unneeded = async (): Promise<string> => {
  const former = await generate([{ name: "commonName", value: "former root" }], ec)
  const end = Date.now() - HOUR
  const made = await generate([{ name: "commonName", value: "test root" }], {
    ...ec,
    ca: { key: former.private, cert: former.cert },
    notBeforeDate: new Date(end - 24 * HOUR),
    notAfterDate: new Date(end)
  })
  return made.cert
}

/** A relay of this DNS name, whose certificate was signed by an authority in between (PEM). */
export const issueBehind = async (
  name: string,
  /** From now on, of the authority. */
  hours = 8760
): Promise<{ readonly own: KeyPair; readonly between: string }> => {
  const between = await generate([{ name: "commonName", value: "test authority" }], {
    ...ec,
    notAfterDate: new Date(Date.now() + hours * HOUR),
    ca: { key: root.private, cert: root.cert },
    extensions: [
      { name: "basicConstraints", cA: true, critical: true },
      { name: "keyUsage", keyCertSign: true, cRLSign: true, critical: true }
    ]
  })
  return { own: await issue([{ type: 2, value: name }], { by: between, hoursFromNow: 23 }), between: between.cert }
}
