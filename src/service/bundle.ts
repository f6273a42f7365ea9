/**
 * Bundles the command `msrp-relay`: the service and its dependencies in a few files, so that the command runs as
 * installed, while programs that use only the library install no database drivers. Run by `npm run build`, after the
 * library.
 */
import { chmod, readdir, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { rolldown } from "rolldown"

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/** Optional accelerators that some dependencies try to load. */
const OPTIONAL = /^(?:bufferutil|utf-8-validate|cardinal|pg-native)$/

/**
 * Writes the bundle to a folder two levels below package.json, because modules look for files relative to that. The
 * folder also contains the SQLite worker and the licences of all bundled packages.
 */
export const bundleService = async (folder: string): Promise<void> => {
  await using bundle = await rolldown({
    // Entry points in the order in which they run; a worker needs a file of its own.
    input: { bin: here("bin.ts"), SqliteReader: here("../credentials/SqliteReader.ts") },
    platform: "node",
    external: OPTIONAL,
    // An unresolved import would fail only when it is used, so it is an error here.
    onLog: (level, log) => {
      if (level === "warn") throw new Error(log.message)
    }
  })
  const { output } = await bundle.write({ dir: folder, format: "esm", chunkFileNames: "part-[name].js" })
  await chmod(join(folder, "bin.js"), 0o755)
  const modules = output.flatMap((part) => part.type === "chunk" ? part.moduleIds : [])
  await writeFile(join(folder, "LICENSES.txt"), await licences(modules))
}

interface Manifest {
  readonly name: string
  readonly version: string
  readonly license: string
}

/** The licence texts of the packages that these modules belong to. */
const licences = async (modules: ReadonlyArray<string>): Promise<string> => {
  const folders = new Set(
    modules.flatMap((path) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(path)?.[0] ?? [])
  )
  const texts = await Promise.all([...folders].map(async (folder) => {
    const { license, name, version } = JSON.parse(await readFile(join(folder, "package.json"), "utf8")) as Manifest
    const file = (await readdir(folder)).find((one) => /^licen[cs]e(?:\.|$)/i.test(one))
    const text = file === undefined ? `Licence: ${license}` : await readFile(join(folder, file), "utf8")
    return `${name} ${version}\n\n${text.trim()}\n`
  }))
  return `In the command msrp-relay are parts of these packages.\n\n${texts.sort().join(`\n${"-".repeat(72)}\n\n`)}`
}

if (import.meta.main) await bundleService(here("../../dist/service"))
