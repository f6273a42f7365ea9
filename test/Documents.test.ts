/** What the documents name is there: links and their anchors, settings, commands, endpoints; also where only the package is. */
import { assert, describe, it } from "@effect/vitest"
import { existsSync } from "node:fs"
import { dirname, join, relative } from "node:path"
import { settingsTable } from "../src/service/Settings.ts"
import { secretFileVariables } from "../src/service/settings/SecretFiles.ts"
import { PASSWORD } from "../src/service/settings/Table.ts"
import { documents, examples, root, textOf as text } from "./documents/fences.ts"

const { files, scripts } = JSON.parse(text("package.json")) as {
  readonly files: ReadonlyArray<string>
  readonly scripts: Readonly<Record<string, string>>
}

const withoutCode = (markdown: string): string => markdown.replaceAll(/^```.*?^```/gms, "").replaceAll(/`[^`\n]*`/g, "")

interface Link {
  readonly from: string
  /** In the repository. */
  readonly path: string
  readonly anchor: string
}

/** Links within the repository. */
const linksIn = (from: string): ReadonlyArray<Link> =>
  [...withoutCode(text(from)).matchAll(/\]\(([^()\s]+)\)/g)].flatMap(([, target]) => {
    if (/^[a-z]+:/.test(target!)) return []
    const [path, anchor = ""] = target!.split("#")
    return [{ from, path: path === "" ? from : relative(root, join(root, dirname(from), path!)), anchor }]
  })

/** Anchors of headings, as GitHub makes them. */
const anchorsIn = (path: string): ReadonlyArray<string> =>
  [...text(path).replaceAll(/^```.*?^```/gms, "").matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading!.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1").toLowerCase().replaceAll(/[^\p{L}\p{N}_ -]/gu, "")
      .replaceAll(" ", "-")
  )

const isPacked = (path: string): boolean =>
  !path.includes("/") && /^(?:README|LICENSE|package\.json)/.test(path) ||
  files.some((one) => path === one || path.startsWith(`${one}/`))

describe("documents", () => {
  const links = documents.flatMap(linksIn)

  it("link to what is there", () => {
    assert.isAbove(links.length, 20)
    assert.deepStrictEqual(links.filter(({ path }) => !existsSync(join(root, path))), [])
  })

  it("link to headings that are there", () => {
    const anchored = links.filter(({ anchor, path }) => anchor !== "" && path.endsWith(".md"))
    assert.isNotEmpty(anchored)
    assert.deepStrictEqual(anchored.filter(({ anchor, path }) => !anchorsIn(path).includes(anchor)), [])
  })

  it("link only to what is packed, where they are packed themselves", () => {
    assert.deepStrictEqual(links.filter(({ from, path }) => isPacked(from) && !isPacked(path)), [])
  })

  it("are all named by docs/README.md", () => {
    const named = new Set(linksIn("docs/README.md").map(({ path }) => path))
    const pages = documents.filter((path) => /^docs\/[^/]+\.md$/.test(path) && path !== "docs/README.md")
    assert.deepStrictEqual(pages.filter((path) => !named.has(path)), [])
  })

  it("name settings that there are", () => {
    const known = new Set([...settingsTable.map(({ variable }) => variable), ...secretFileVariables, PASSWORD])
    // one that is wrong on purpose; that of the tests
    const others = new Set(["MSRP_UIRS", "MSRP_TEST_RUNS", "MSRP_TEST_FUZZ"])
    const named = [...documents, ...examples].filter((path) => path !== "CHANGELOG.md").flatMap((path) =>
      [...text(path).matchAll(/\bMSRP_[A-Z0-9_]*[A-Z0-9]/g)].map(([name]) => `${path}: ${name}`)
    )
    assert.isAbove(named.length, 100)
    assert.deepStrictEqual(
      named.filter((one) => !known.has(one.split(": ")[1]!) && !others.has(one.split(": ")[1]!)),
      []
    )
  })

  it("name scripts of npm that there are", () => {
    const named = [...documents, ...examples].flatMap((path) =>
      [...text(path).matchAll(/\bnpm run (?:-s )?([a-z:]+)/g)].map(([, name]) => `${path}: ${name}`)
    )
    assert.isAbove(named.length, 10)
    assert.deepStrictEqual(named.filter((one) => scripts[one.split(": ")[1]!] === undefined), [])
  })

  it("have the folder of the service be the same everywhere", () => {
    const strays = [...documents, ...examples, ".env.example"].flatMap((path) =>
      [...text(path).matchAll(/\/(?:etc|run|opt)\/msrp[\w-]*/g)].filter(([one]) => !one.endsWith("/msrp-relay")).map(([
        one
      ]) => `${path}: ${one}`)
    )
    assert.deepStrictEqual(strays, [])
  })
})
