/** Every command in the documents is run here, or says why not. */
import { execFile, execFileSync } from "node:child_process"
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"
import { afterAll, assert, describe, it, vi } from "vitest"
import { ended, freePort, start } from "../support/service.ts"
import { commandsIn, documents, type Fence, placeOf, root } from "./fences.ts"

// Each block starts some processes, on a machine that may do much else.
vi.setConfig({ testTimeout: 180_000 })

const fences = documents.filter((path) => path !== "CHANGELOG.md").flatMap(commandsIn)
const folder = mkdtempSync(join(tmpdir(), "msrp-documents-"))
afterAll(() => rmSync(folder, { recursive: true }))

/** Where `msrp-relay` is this very source. */
const bin = join(folder, "bin")
mkdirSync(bin)
writeFileSync(
  join(bin, "msrp-relay"),
  `#!/bin/sh\nexec "${process.execPath}" --conditions=source "${join(root, "src/service/bin.ts")}" "$@"\n`
)
chmodSync(join(bin, "msrp-relay"), 0o755)

const has = (tool: string): boolean => {
  try {
    execFileSync("sh", ["-c", `command -v ${tool}`], { stdio: "ignore" })
    return true
  } catch {
    return false
  }
}

interface Ran {
  readonly code: number
  readonly output: string
}

const run = (script: string, cwd: string, env: Readonly<Record<string, string>>): Promise<Ran> =>
  new Promise((resolve) => {
    execFile(
      "bash",
      ["-euo", "pipefail", "-c", script],
      {
        cwd,
        // Nothing of the machine's own settings.
        env: { PATH: `${bin}${delimiter}${process.env["PATH"]}`, HOME: cwd, NO_COLOR: "1", ...env },
        timeout: 150_000
      },
      (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : Number(error.code ?? -1), output: `${stdout}${stderr}` })
    )
  })

/** Ports and folders of the documents are those of this run. */
const here = (text: string, ports: ReadonlyArray<number>, etc: string): string =>
  text.replaceAll(/\b285[5-7]\b/g, (port) => String(ports[Number(port) - 2855])).replaceAll("/etc/msrp-relay", etc)

const settings = (ports: ReadonlyArray<number>): Readonly<Record<string, string>> => ({
  MSRP_URIS: `msrp://localhost:${ports[0]};tcp,msrps://localhost:${ports[1]};tcp`,
  MSRP_USERS: "alice:secret",
  MSRP_ADMIN: `127.0.0.1:${ports[2]}`
})

let count = 0

const runs = async (fence: Fence): Promise<void> => {
  const cwd = join(folder, String(++count))
  const etc = join(cwd, "etc")
  mkdirSync(etc, { recursive: true })
  const ports = [await freePort(), await freePort(), await freePort()]
  const env = fence.info === "run: relay" ? settings(ports) : {}
  const relay = fence.info === "run: relay" ? await start({ port: ports[0]!, env }) : undefined
  try {
    const { code, output } = await run(here(fence.code, ports, etc), cwd, env)
    assert.strictEqual(code, 0, `${placeOf(fence)} ends with ${code}:\n${output}`)
  } finally {
    relay?.child.kill("SIGTERM")
    if (relay !== undefined) await ended(relay.child)
  }
}

describe("commands in documents", () => {
  it("say whether they are run here, or why not", () => {
    assert.isAbove(fences.length, 15)
    const wrong = fences.filter(({ info }) => !/^(?:run|run: relay|not run: .{5,})$/.test(info)).map(placeOf)
    assert.deepStrictEqual(
      wrong,
      [],
      "behind ```sh stands run, run: relay, or not run: and why (test/documents/fences.ts)"
    )
  })

  for (const fence of fences.filter(({ info }) => info.startsWith("run"))) {
    const missing = ["openssl", "curl"].filter((tool) => new RegExp(`\\b${tool} `).test(fence.code) && !has(tool))
    it.skipIf(missing.length > 0)(`${placeOf(fence)} works`, () => runs(fence))
  }
})
