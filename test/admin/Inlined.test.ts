import { assert, describe, it } from "@effect/vitest"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { pageReader } from "../../src/admin/Inlined.ts"

const source = (name: string): URL => new URL(`../../src/${name}/page/bundle.ts`, import.meta.url)
const nowhere = new URL("file:///nowhere/page.html")

describe("a page in one file", () => {
  for (const name of ["admin", "demo"]) {
    it(`is made at once where a clone was not built: ${name}`, async () => {
      const html = await pageReader(nowhere, source(name))()
      assert.match(html, /^<!doctype html>/i)
      assert.notInclude(html, "<!-- script -->")
    })
  }

  it("is read once, and again as long as it is not there", async () => {
    const folder = await mkdtemp(join(tmpdir(), "msrp-page-"))
    try {
      const file = join(folder, "page.html")
      const read = pageReader(pathToFileURL(file))
      const missing = await read().then(() => undefined, ({ code }: NodeJS.ErrnoException) => code)
      assert.strictEqual(missing, "ENOENT")
      await writeFile(file, "one")
      assert.strictEqual(await read(), "one")
      await writeFile(file, "two")
      assert.strictEqual(await read(), "one")
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})
