/** The command as whoever runs it sees it: exit code, standard output, and the rights of another user. */
import { spawnSync } from "node:child_process"
import { chmodSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { assert, describe, it, vi } from "vitest"
import type { Finding } from "../../../src/service/check/Finding.ts"
import { COMMAND } from "../../support/service.ts"
import { closedDirectory, file, working } from "./setup.ts"

// A process takes long to start on a machine that does much else.
vi.setConfig({ testTimeout: 180_000 })

const root = fileURLToPath(new URL("../../..", import.meta.url))
const NOBODY = 65_534

const run = (env: Record<string, string>, args: ReadonlyArray<string>, uid?: number) => {
  const [first, ...others] = COMMAND
  const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(?:MSRP_|npm_)/.test(name)))
  const { status, stderr, stdout } = spawnSync(first, [...others, "check", ...args], {
    cwd: root,
    encoding: "utf8",
    env: { ...inherited, ...env },
    ...(uid === undefined ? {} : { uid, gid: uid })
  })
  return { status, stderr, stdout }
}

const findingsIn = (stdout: string): ReadonlyArray<Finding> => JSON.parse(stdout).findings

describe("msrp-relay check", () => {
  it("ends with 0 when all is well", async () => {
    const { status, stderr, stdout } = run(await working(), [])
    assert.deepStrictEqual({ status, stderr }, { status: 0, stderr: "" })
    assert.match(stdout, /^msrp-relay \d.*\n\n {2}\u2713 ok {7}settings .*\n/)
    assert.match(stdout, /\nAll is well\n$/)
  })

  it("ends with 0 when there are only warnings, and with 1 when the service would not work", async () => {
    const env = await working()
    const warned = run({ ...env, MSRP_MAX_CONNECTIONS: "1000000" }, ["--json"])
    assert.strictEqual(warned.status, 0, warned.stderr)
    assert.strictEqual(JSON.parse(warned.stdout).warnings, 1)
    const failed = run({ ...env, MSRP_HASH_SIZE: "x" }, ["--json"])
    assert.strictEqual(failed.status, 1)
    assert.match(failed.stderr, /^check failed: 1 problem would keep the service from working\n$/)
    assert.isFalse(JSON.parse(failed.stdout).ok)
  })

  it("reads the file of variables as the service does, from npm too: what is in .env is not in its place", async () => {
    const named = file(Object.entries(await working()).map(([name, value]) => `${name}=${value}\n`).join(""))
    const folder = dirname(file(""))
    writeFileSync(join(folder, ".env"), "MSRP_HASH_SIZE=x\n")
    const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))
    const [node, ...args] = String(scripts["check:setup"]).replace("src/", `${root}src/`).split(" ")
    assert.strictEqual(node, "node")
    const { status, stderr, stdout } = spawnSync(process.execPath, args, {
      cwd: folder,
      encoding: "utf8",
      env: { PATH: process.env.PATH, MSRP_ENV_FILE: named }
    })
    assert.deepStrictEqual({ status, stderr }, { status: 0, stderr: "" }, stdout)
  })

  it("tells a user without rights which port and which file are not for him", async ({ skip }) => {
    if (process.getuid?.() !== 0) skip("only root can be somebody else")
    const first = Number(readFileSync("/proc/sys/net/ipv4/ip_unprivileged_port_start", "utf8"))
    if (first <= 1) skip("every user may bind every port here")
    const env = await working()
    chmodSync(closedDirectory, 0o755)
    const files = { MSRP_TLS_CERT: "", MSRP_TLS_KEY: "", MSRP_TLS_CA: "", MSRP_CREDENTIALS_FILE: "", MSRP_USERS: "a:b" }
    const ported = run(
      { ...files, MSRP_URIS: "msrp://127.0.0.1:1;tcp", MSRP_LISTEN: "msrp:127.0.0.1:1" },
      ["--json"],
      NOBODY
    )
    const found = findingsIn(ported.stdout).find(({ look }) => look === "listeners")
    assert.strictEqual(found!.status, "problem")
    assert.match(found!.message, /^this user is not allowed to bind ports below \d+$/)
    assert.match(found!.hint!, /CAP_NET_BIND_SERVICE/)
    const key = findingsIn(run(env, ["--json"], NOBODY).stdout).find(({ subject }) => subject === "MSRP_TLS_KEY")
    assert.match(key!.message, /^this user has no permission for the file/)
  })
})
