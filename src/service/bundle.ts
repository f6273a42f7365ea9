/**
 * Makes the command `msrp-relay`: the service with all that it needs in a few files, so that who installs the package has it
 * run at once, while who uses the library gets no drivers of databases. Run by `npm run build`, after the library.
 */
import { chmod, readdir, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { rolldown } from "rolldown"

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/** What some packages try to load and do without: faster ways to do the same. */
const OPTIONAL = /^(?:bufferutil|utf-8-validate|cardinal|pg-native)$/

/**
 * Writes it into a folder that is two below that of package.json, since the parts look for files there. Beside the
 * command stand its worker of SQLite and the licences of all that is in it.
 */
export const bundleService = async (folder: string): Promise<void> => {
  await using bundle = await rolldown({
    // In the order in which they are run; a worker is a file of its own.
    input: { bin: here("bin.ts"), SqliteReader: here("../credentials/SqliteReader.ts") },
    platform: "node",
    external: OPTIONAL,
    // What is not found would be missed only where it is used.
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

/** The texts of the licences of the packages that these modules are of. */
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
