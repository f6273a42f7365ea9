/** Makes `dist/browser/msrp.js`, the client for web pages in a single file. Run by `npm run build`. */
import { mkdir, readFile, writeFile } from "node:fs/promises"
import { dirname, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import { type InputOptions, rolldown } from "rolldown"

const root = fileURLToPath(new URL("../..", import.meta.url))

/** Modules that are replaced in browsers, by path: those of the field `browser` in package.json. */
const replacements = async (): Promise<ReadonlyMap<string, string>> => {
  const { browser } = JSON.parse(await readFile(resolve(root, "package.json"), "utf8")) as {
    readonly browser: Readonly<Record<string, string>>
  }
  const source = (path: string): string => resolve(root, path.replace("/dist/", "/src/").replace(/\.js$/, ".ts"))
  return new Map(Object.entries(browser).map(([node, one]) => [source(node), source(one)]))
}

/** Options to bundle a module of `src` for browsers. */
export const forBrowsers = async (input: string): Promise<InputOptions> => {
  const replaced = await replacements()
  return {
    input,
    platform: "browser",
    treeshake: { moduleSideEffects: false, propertyReadSideEffects: false, unknownGlobalSideEffects: false },
    plugins: [{
      name: "platform",
      resolveId: (specifier, importer) =>
        importer !== undefined && specifier.startsWith(".")
          ? replaced.get(resolve(dirname(importer), specifier))
          : undefined
    }],
    // By default, an import that is not found stays in the bundle, and fails in the browser.
    onLog: (_, log) => {
      throw new Error(log.message)
    }
  }
}

/** The client as one ES module. */
export const bundleClient = async (): Promise<string> => {
  await using bundle = await rolldown(await forBrowsers(resolve(root, "src/browser/index.ts")))
  const { output: [{ code }] } = await bundle.generate({ format: "esm", minify: true, comments: false })
  const { name, version } = JSON.parse(await readFile(resolve(root, "package.json"), "utf8")) as {
    readonly [key: string]: string
  }
  return `/* ${name} ${version}, see msrp.LICENSES.txt */\n${code}`
}

/** The licences of the bundle and its dependencies, which must be distributed with it. */
const licences = async (): Promise<string> => {
  const texts = await Promise.all(
    Object.entries({ "msrp-relay": ".", effect: "node_modules/effect", "@noble/hashes": "node_modules/@noble/hashes" })
      .map(async ([name, path]) => `${name}\n\n${await readFile(resolve(root, path, "LICENSE"), "utf8")}`)
  )
  return texts.join("\n")
}

if (import.meta.main) {
  const dist = resolve(root, "dist/browser")
  await mkdir(dist, { recursive: true })
  await writeFile(resolve(dist, "msrp.js"), await bundleClient())
  await writeFile(resolve(dist, "msrp.LICENSES.txt"), await licences())
}
