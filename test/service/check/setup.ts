/** A set-up that works, to be broken in one place: real files and ports. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll } from "vitest"
import * as Resolver from "../../../src/Resolver.ts"
import { check, type CheckOptions } from "../../../src/service/check/Check.ts"
import { Settings } from "../../../src/service/Settings.ts"
import { ca, issueWith, type KeyPair } from "../../support/pki.ts"
import { freePort } from "../../support/service.ts"

const directory = mkdtempSync(join(tmpdir(), "msrp-relay-check-"))
afterAll(() => rmSync(directory, { recursive: true }))

let made = 0

/** A file that only its owner may read, in a directory that everybody may enter. */
export const file = (text: string, mode = 0o600): string => {
  const within = join(directory, String(++made))
  mkdirSync(within)
  const path = join(within, "file")
  writeFileSync(path, text, { mode })
  return path
}

/** A file that is not there. */
export const nowhere = (): string => join(directory, `nowhere-${++made}`)

// Of the temporary directory it is not known who may enter it; of this one it is.
export const closedDirectory = directory

export const certificate = ({ cert, key }: KeyPair, chain = ""): Record<string, string> => ({
  MSRP_TLS_CERT: file(cert + chain, 0o644),
  MSRP_TLS_KEY: file(Redacted.value(key))
})

export const HOST = "relay.example.com"

/** It does not end soon. */
export const relay = await issueWith([HOST], { hoursFromNow: 23 })

/** A relay of one name, on a port of loopback. */
export const working = async (): Promise<Record<string, string>> => {
  const port = await freePort()
  return {
    MSRP_URIS: `msrps://${HOST}:${port};tcp`,
    MSRP_LISTEN: `msrps:127.0.0.1:${port}`,
    MSRP_CREDENTIALS_FILE: file(`alice:${HOST}:0123456789abcdef0123456789abcdef\n`),
    MSRP_TLS_CA: file(ca, 0o644),
    ...certificate(relay)
  }
}

export const findingsWith = (env: Record<string, string>, options: CheckOptions = { running: false }) =>
  check(Settings.parse(env), options).pipe(
    Effect.provide(NodeFileSystem.layer),
    Effect.provide(Resolver.layerRecords({}, { [HOST]: ["127.0.0.1"] }))
  )

/** What is not as it should be: status, look and what is told of it. */
export const wrongWith = (env: Record<string, string>, options?: CheckOptions) =>
  Effect.map(
    findingsWith(env, options),
    (findings) =>
      findings.filter(({ status }) => status !== "ok" && status !== "skipped")
        .map(({ look, message, status, subject }) => `${status} ${look} ${subject}: ${message}`)
  )
