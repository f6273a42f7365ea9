/** Certificates: the files they come from, and whether one must be made. */
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import { isLoopback } from "../../../net/Hosts.ts"
import { canonicalHost } from "../../../protocol/Uri.ts"
import { printSocket } from "../codecs/Addresses.ts"
import type { Problems } from "../Problems.ts"
import { ProvidedParts } from "../ProvidedParts.ts"
import type { Values } from "../Table.ts"
import { readTls, type TlsFiles, type TlsFromFiles } from "../TlsFiles.ts"
import type { Addresses } from "./Addresses.ts"

/**
 * `tls` has the contents of the files. Without a certificate, there is either no `msrps` listener, or `selfSigned` is
 * set.
 */
export interface TlsSettings extends Pick<TlsFromFiles, "tls" | "warnings"> {
  /** Paths of the PEM files, for reading them again. */
  readonly tlsFiles: TlsFiles
  /** Names and addresses for a certificate to be made at start; `undefined` if none is needed. */
  readonly selfSigned: ReadonlyArray<string> | undefined
}

/** Certificates must have keys; without certificates, one is made at start for clients on this machine. */
export const tlsOf = Effect.fnUntraced(function*(
  values: Values,
  addresses: Addresses | undefined,
  problems: Problems
): Effect.fn.Return<TlsSettings, never, FileSystem.FileSystem> {
  const files: TlsFiles = { cert: values.tlsCert ?? [], key: values.tlsKey ?? [], ca: values.tlsCa }
  const { listen = [], uris = [] } = addresses ?? {}
  const { problems: unusable, tls, warnings } = yield* readTls(files, [...uris, ...(values.usePath ?? [])])
  const keys = { cert: "tlsCert", key: "tlsKey", ca: "tlsCa" } as const
  for (const { file, path, problem } of unusable) problems.addOfFile(keys[file], `${problem} (${path})`)

  let selfSigned: ReadonlyArray<string> | undefined
  const secure = listen.filter(({ scheme }) => scheme === "msrps")
  const outside = listen.find(({ host }) => !isLoopback(host))
  if (!problems.fine("tlsCert", "tlsKey")) {
    // This was reported already.
  } else if (files.cert.length === 0 && files.key.length > 0) {
    problems.add("tlsCert", "is required because MSRP_TLS_KEY is set")
  } else if (files.cert.length > 0 && files.key.length === 0) {
    problems.add("tlsKey", "is required because MSRP_TLS_CERT is set")
  } else if (files.cert.length !== files.key.length) {
    problems.add("tlsKey", `has ${files.key.length} files, and MSRP_TLS_CERT has ${files.cert.length}`)
  } else if (files.cert.length === 0 && secure.length > 0 && !(yield* ProvidedParts).certificates) {
    if (outside === undefined) {
      const addressed = [...uris.filter(({ scheme }) => scheme === "msrps"), ...secure]
      selfSigned = [...new Set(addressed.map(({ host }) => canonicalHost(host)))]
    } else {
      problems.add("tlsCert", `is required for msrps because ${printSocket(outside)} is not on loopback`)
    }
  }
  return { tls, tlsFiles: files, selfSigned, warnings }
})
