/** The examples of docs/browser.md compile against the types that are shipped, with those of a browser and no others. */
import { execFileSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, assert, describe, it } from "vitest"

const root = fileURLToPath(new URL("../..", import.meta.url))
const folder = mkdtempSync(join(tmpdir(), "msrp-types-"))
afterAll(() => rmSync(folder, { recursive: true }))

const tsc = (...options: ReadonlyArray<string>): string => {
  try {
    return execFileSync(join(root, "node_modules/.bin/tsc"), options, { cwd: root, encoding: "utf8" })
  } catch (error) {
    return String((error as { readonly stdout?: unknown }).stdout)
  }
}

describe("the types of msrp-relay/browser", () => {
  it("need neither Effect nor Node, and fit the examples", { timeout: 120_000 }, () => {
    const project = join(folder, "build.json")
    writeFileSync(
      project,
      JSON.stringify({
        extends: join(root, "tsconfig.build.json"),
        compilerOptions: {
          emitDeclarationOnly: true,
          rootDir: join(root, "src"),
          outDir: join(folder, "dist"),
          typeRoots: [join(root, "node_modules/@types")]
        },
        include: [],
        files: [join(root, "src/browser/index.ts")]
      })
    )
    assert.strictEqual(tsc("-p", project), "")
    const examples = [...readFileSync(join(root, "docs/browser.md"), "utf8").matchAll(/^```ts\n(.*?)^```/gms)]
    assert.isAbove(examples.length, 3)
    examples.forEach(([, text], i) => writeFileSync(join(folder, `example${i}.ts`), `${text}\nexport {}\n`))
    writeFileSync(
      join(folder, "tsconfig.json"),
      JSON.stringify({
        compilerOptions: {
          target: "ES2024",
          lib: ["ES2024", "DOM", "DOM.Iterable", "DOM.AsyncIterable"],
          module: "ESNext",
          moduleResolution: "bundler",
          types: [],
          strict: true,
          exactOptionalPropertyTypes: true,
          noEmit: true,
          paths: { "msrp-relay/browser": [join(folder, "dist/browser/index.d.ts")] }
        },
        include: ["*.ts"]
      })
    )
    assert.strictEqual(tsc("-p", folder), "")
  })
})
