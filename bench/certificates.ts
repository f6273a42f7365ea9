import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { generate } from "selfsigned"

const ec = { keyType: "ec", curve: "P-256", algorithm: "sha256" } as const

export interface CertificateFiles {
  /** The settings of the relay of each host. */
  readonly env: ReadonlyArray<Record<string, string>>
  readonly remove: () => Promise<void>
}

/** Makes `count` certificates for each host (an IPv4 address): one for the host, the others for names that all hosts share. */
export const certificates = async (hosts: ReadonlyArray<string>, count: number): Promise<CertificateFiles> => {
  const directory = await mkdtemp(join(tmpdir(), "msrp-bench-"))
  const root = await generate([{ name: "commonName", value: "bench root" }], {
    ...ec,
    extensions: [
      { name: "basicConstraints", cA: true, critical: true },
      { name: "keyUsage", keyCertSign: true, cRLSign: true, critical: true }
    ]
  })
  const issue = async (file: string, name: { type: 2; value: string } | { type: 7; ip: string }): Promise<string> => {
    const made = await generate([{ name: "commonName", value: "bench" }], {
      ...ec,
      ca: { key: root.private, cert: root.cert },
      extensions: [
        { name: "basicConstraints", cA: false },
        { name: "keyUsage", digitalSignature: true },
        { name: "extKeyUsage", serverAuth: true, clientAuth: true },
        { name: "subjectAltName", altNames: [name] }
      ]
    })
    const path = join(directory, file)
    await writeFile(`${path}.crt`, made.cert)
    await writeFile(`${path}.key`, made.private)
    return path
  }
  const ca = join(directory, "ca.crt")
  await writeFile(ca, root.cert)
  const others = await Promise.all(
    Array.from({ length: count - 1 }, (_, i) => issue(`other${i}`, { type: 2, value: `chat${i}.example.com` }))
  )
  const env = await Promise.all(hosts.map(async (ip) => {
    const all = [await issue(ip, { type: 7, ip }), ...others]
    return {
      MSRP_TLS_CERT: all.map((path) => `${path}.crt`).join(","),
      MSRP_TLS_KEY: all.map((path) => `${path}.key`).join(","),
      MSRP_TLS_CA: ca
    }
  }))
  return { env, remove: () => rm(directory, { recursive: true, force: true }) }
}
