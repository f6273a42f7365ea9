/** The site that is made of the documents: it can be built, has a page for each, and no link in it leads nowhere. */
import { execFile } from "node:child_process"
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join, resolve } from "node:path"
import { promisify } from "node:util"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { documents, root } from "./fences.ts"

const site = mkdtempSync(join(tmpdir(), "msrp-site-"))
afterAll(() => rmSync(site, { recursive: true }))

interface Page {
  readonly path: string
  readonly html: string
  readonly anchors: ReadonlySet<string>
}

const pages = new Map<string, Page>()

const unescaped = (text: string): string => decodeURIComponent(text.replaceAll("&amp;", "&"))

// Nothing but this takes longer here, and nothing depends on how long.
beforeAll(async () => {
  await promisify(execFile)(
    process.execPath,
    [join(root, "node_modules/vitepress/bin/vitepress.js"), "build", "docs", "--outDir", site],
    { cwd: root }
  )
  for (const path of readdirSync(site, { recursive: true, encoding: "utf8" }).filter((one) => one.endsWith(".html"))) {
    const html = readFileSync(join(site, path), "utf8")
    const anchors = new Set([...html.matchAll(/\bid="([^"]+)"/g)].map(([, id]) => unescaped(id!)))
    pages.set(path, { path, html, anchors })
  }
}, 300_000)

/** The file that a link or an image of a page leads to; `undefined` for another site. */
const fileOf = ({ path }: Page, href: string): string | undefined => {
  if (/^[a-z]+:/.test(href)) return undefined
  const [target = ""] = href.split(/[?#]/)
  if (target === "") return path
  const whole = resolve("/", target.startsWith("/") ? "" : dirname(path), target.replace(/^\//, "")).slice(1)
  if (target === "/" || target.endsWith("/")) return join(whole, "index.html")
  return existsSync(join(site, whole)) ? whole : `${whole}.html`
}

describe("the site of the documents", () => {
  it("has a page for each document", () => {
    const wanted = documents.filter((path) => /^(?:docs\/.+|README|CHANGELOG|SECURITY)\.md$/.test(path))
      .map((path) => path.replace(/README\.md$/, "index.md").replace(/\.md$/, ".html"))
    assert.isAbove(wanted.length, 20)
    assert.deepStrictEqual(wanted.filter((path) => !pages.has(path)), [])
  })

  it("leads to each of them from its side bar", () => {
    const bar = /<aside class="VPSidebar"[^]*?<\/aside>/.exec(pages.get("docs/index.html")!.html)?.[0] ?? ""
    const missing = [...pages.keys()].filter((path) => /^docs\/[^/]+\.html$/.test(path))
      .map((path) => `/${path.replace(/(?:index)?\.html$/, "")}`)
      .filter((link) => !bar.includes(`href="${link}`))
    assert.deepStrictEqual(missing, [], "docs/.vitepress/config.ts has the side bar")
  })

  it("has links, images and headings that are there", () => {
    const wrong: Array<string> = []
    let count = 0
    for (const page of pages.values()) {
      for (const [, name, href] of page.html.matchAll(/<[^>]*\b(href|src|srcset)="([^"]+)"/g)) {
        const file = fileOf(page, unescaped(href!))
        if (file === undefined) continue
        count++
        const anchor = name === "href" ? unescaped(href!.split("#")[1] ?? "") : ""
        if (!existsSync(join(site, file)) || (anchor !== "" && pages.get(file)?.anchors.has(anchor) !== true)) {
          wrong.push(`${page.path}: ${href}`)
        }
      }
    }
    assert.isAbove(count, 1000)
    assert.deepStrictEqual(wrong, [])
  })

  it("asks nobody else for anything: scripts, styles, fonts and images are its own", () => {
    for (const { html, path } of pages.values()) {
      assert.notMatch(html, /<(?:script|link|img|source)\b[^>]*\b(?:src|href|srcset)="(?:https?:)?\/\//, path)
    }
  })

  it("can be searched without a server", () => {
    const scripts = readdirSync(join(site, "assets"), { recursive: true, encoding: "utf8" })
    assert.isTrue(scripts.some((path) => path.includes("localSearchIndex")))
  })
})
