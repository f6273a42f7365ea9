/** PEM files that variables name: reads them, and checks what can be checked without a connection. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { createPrivateKey, X509Certificate } from "node:crypto"
import { canonicalHost, type MsrpUri } from "../../protocol/Uri.ts"
import type { KeyPair, TlsOptions } from "../../Transport.ts"
import { CertificateNames } from "../../transport/CertificateNames.ts"
import { withoutImplied } from "./checks/Addresses.ts"
import { certificatesIn } from "./Pem.ts"
import { readText } from "./TextFile.ts"
import { concernOf, validityOf } from "./Validity.ts"

/**
 * Paths of PEM files: certificates and their keys in the same order. The first pair is used if a client asks for no
 * name, or for an unknown one.
 */
export interface TlsFiles {
  readonly cert: ReadonlyArray<string>
  readonly key: ReadonlyArray<string>
  readonly ca: string | undefined
}

interface FileProblem {
  readonly file: keyof TlsFiles
  readonly path: string
  readonly problem: string
}

export interface TlsFromFiles {
  readonly tls: TlsOptions
  readonly problems: ReadonlyArray<FileProblem>
  /** Warnings about certificates that can be used, but that clients may reject. */
  readonly warnings: ReadonlyArray<string>
}

/** Reads the PEM files, and checks that they are usable and belong together. */
export const readTls = Effect.fnUntraced(function*(
  files: TlsFiles,
  uris: ReadonlyArray<MsrpUri>
): Effect.fn.Return<TlsFromFiles, never, FileSystem.FileSystem> {
  const problems: Array<FileProblem> = []
  const warnings: Array<string> = []

  const read = Effect.fnUntraced(function*(path: string, note: (problem: string) => void) {
    const text = yield* readText(path)
    if (Result.isFailure(text)) note(text.failure)
    return Result.getOrUndefined(text)
  })

  const pairs: Array<KeyPair & { readonly certificate: X509Certificate }> = []
  for (const [index, path] of files.cert.entries()) {
    const entry = files.cert.length === 1 ? "" : `entry ${index + 1} `
    const note = (file: "cert" | "key") => (problem: string) =>
      void problems.push({ file, path: files[file][index]!, problem: entry + problem })
    const cert = yield* read(path, note("cert"))
    const keyPath = files.key[index]
    const key = keyPath === undefined ? undefined : yield* read(keyPath, note("key"))
    const certificate = cert === undefined ? undefined : certificateOf(cert)
    const privateKey = key === undefined ? undefined : attempt(() => createPrivateKey(key))
    if (certificate !== undefined && Result.isFailure(certificate)) note("cert")(certificate.failure)
    if (privateKey !== undefined && Result.isFailure(privateKey)) {
      note("key")(/ENCRYPTED/.test(key!) ? "is encrypted" : "contains no PEM private key")
    }
    if (certificate === undefined || privateKey === undefined) continue
    if (Result.isFailure(certificate) || Result.isFailure(privateKey)) continue
    if (!certificate.success.checkPrivateKey(privateKey.success)) note("key")("does not belong to the certificate")
    pairs.push({ cert: cert!, key: Redacted.make(key!), certificate: certificate.success })
  }
  const ca = files.ca === undefined
    ? undefined
    : yield* read(files.ca, (problem) => void problems.push({ file: "ca", path: files.ca!, problem }))
  const root = ca === undefined ? undefined : certificateOf(ca)
  if (root !== undefined && Result.isFailure(root)) {
    problems.push({ file: "ca", path: files.ca!, problem: root.failure })
  }

  const now = yield* Clock.currentTimeMillis
  for (const [index, { certificate }] of pairs.entries()) {
    const concern = concernOf(validityOf(certificate), now)
    if (concern !== undefined) warnings.push(`The certificate ${files.cert[index]} ${concern}`)
  }
  const names = new CertificateNames()
  for (const { certificate } of pairs) names.add(certificate)
  for (const { host, scheme } of pairs.length === 0 ? [] : withoutImplied(uris)) {
    if (scheme === "msrps" && names.find(canonicalHost(host)) === -1) {
      warnings.push(`The certificate is not for ${host}: clients that use this URI will refuse it`)
    }
  }
  const [first, ...others] = pairs.map(({ cert, key }) => ({ cert, key }))
  return {
    tls: { ...first, ...(others.length === 0 ? {} : { others }), ...(ca === undefined ? {} : { ca }) },
    problems,
    warnings
  }
})

/**
 * The first certificate of a PEM file, or what is wrong with the file. All certificates are parsed, because OpenSSL
 * later skips invalid ones, so that roots would be missing if the file was read while it was being written.
 */
const certificateOf = (text: string): Result.Result<X509Certificate, string> => {
  const certificates = certificatesIn(text).map((block) => attempt(() => new X509Certificate(block)))
  const broken = certificates.findIndex(Result.isFailure)
  const [first] = certificates
  if (first === undefined || (broken === 0 && certificates.length === 1)) {
    return Result.fail("contains no PEM certificate")
  }
  return Result.mapError(
    certificates[Math.max(broken, 0)]!,
    () => `contains an invalid certificate, number ${broken + 1}`
  )
}

// Discards OpenSSL's error, because it may contain more than should be logged.
const attempt = <A>(make: () => A): Result.Result<A, undefined> => Result.try({ try: make, catch: () => undefined })
