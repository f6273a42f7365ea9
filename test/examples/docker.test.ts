/** The image and what runs beside it: what they name is there, and fits what the relay is. */
import { assert, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { settingsTable } from "../../src/service/Settings.ts"

const root = fileURLToPath(new URL("../..", import.meta.url))
const folder = join(root, "examples/docker")
const text = (name: string): string => readFileSync(join(folder, name), "utf8")

describe("the Dockerfile", () => {
  const lines = text("Dockerfile").replaceAll("\\\n", " ").split("\n")

  it("copies what is there, all of which gets into its context", () => {
    const copied = lines.filter((line) => /^COPY (?!--)/.test(line)).flatMap((line) => line.split(/\s+/).slice(1, -1))
    assert.isNotEmpty(copied)
    const admitted = text("Dockerfile.dockerignore").split("\n").filter((line) => line.startsWith("!"))
    assert.sameMembers(admitted.map((line) => line.slice(1)), copied)
    assert.deepStrictEqual(copied.filter((path) => !existsSync(join(root, path))), [])
  })

  it("runs the relay as somebody who is not root, by no shell, and asks whether it answers", () => {
    const of = (word: string) => lines.filter((line) => new RegExp(`^\\s*${word}\\b`).test(line))
    assert.match(of("USER").at(-1)!, /^USER [1-9]\d*:[1-9]\d*$/)
    for (const word of ["ENTRYPOINT", "CMD"]) assert.match(of(word).at(-1)!, /^\w+ \["/)
    assert.match(of("HEALTHCHECK").join(), /CMD \["node", .*"admin", "status"\]/)
    const { bin } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { bin: Record<string, string> }
    assert.deepStrictEqual(Object.keys(bin), ["msrp-relay"])
  })
})

describe("compose.yaml", () => {
  const compose = text("compose.yaml")

  it("mounts files that are there", () => {
    const mounted = [...compose.matchAll(/^ +- (\.[^:]*):/gm)].map(([, path]) => path!)
    assert.isAtLeast(mounted.length, 5)
    assert.deepStrictEqual(mounted.filter((path) => !existsSync(join(folder, path))), [])
  })

  it("gives the relay longer to end than it drains", () => {
    const drain = settingsTable.find(({ variable }) => variable === "MSRP_DRAIN_TIMEOUT")!
    assert.isAtLeast(Number(/stop_grace_period: (\d+)s/.exec(compose)?.[1]), Number(drain.default) + 7)
  })

  it("has the secrets that are made for it, each made once and for nobody else", () => {
    const copy = mkdtempSync(join(tmpdir(), "msrp-docker-"))
    try {
      cpSync(folder, copy, { recursive: true })
      const make = () => spawnSync(join(copy, "secrets.sh")).status
      assert.strictEqual(make(), 0)
      const names = [...compose.matchAll(/file: secrets\/([\w-]+)/g)].map(([, name]) => name!)
      const secrets = join(copy, "secrets")
      assert.sameMembers(readdirSync(secrets), names)
      assert.strictEqual(statSync(secrets).mode & 0o777, 0o700)
      const all = () => names.map((name) => readFileSync(join(secrets, name), "utf8"))
      const before = all()
      assert.lengthOf(new Set(before), names.length)
      for (const one of before) assert.match(one, /^\S*[0-9a-f]{48}\S*\n$/)
      assert.strictEqual(make(), 0)
      assert.deepStrictEqual(all(), before)
    } finally {
      rmSync(copy, { recursive: true })
    }
  })
})
