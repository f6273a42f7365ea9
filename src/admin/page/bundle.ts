/**
 * Makes the status page: one HTML file with its script and style inlined, so that the relay serves it without a folder of
 * assets and a browser asks nobody else for anything. Run by `npm run build`.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises"
import { fileURLToPath } from "node:url"
import { type InputOptions, rolldown } from "rolldown"

const here = (name: string): URL => new URL(name, import.meta.url)

/** What every page begins with. */
const BASE_STYLE = here("base.css")

/** A page with this script and these styles in it, in the places of comments that say so. */
export const inlinePage = async ({ html, script, styles }: {
  readonly html: URL
  readonly script: InputOptions
  readonly styles: ReadonlyArray<URL>
}): Promise<string> => {
  await using bundle = await rolldown(script)
  const { output: [{ code }] } = await bundle.generate({ format: "iife", minify: true })
  const [page, ...texts] = await Promise.all(
    [html, BASE_STYLE, ...styles].map((file) => readFile(file, "utf8"))
  )
  return page!
    .replace("<!-- style -->", () => `<style>${texts.join("")}</style>`)
    .replace("<!-- script -->", () => `<script>${code.replaceAll("</script", "<\\/script")}</script>`)
}

/** The page as it is served. */
export const bundlePage = async (): Promise<string> => {
  const page = await inlinePage({
    html: here("index.html"),
    script: {
      input: fileURLToPath(here("page.ts")),
      platform: "browser",
      // What is not found would be left for the browser to find.
      onLog: (_, log) => {
        throw new Error(log.message)
      }
    },
    styles: [new URL(import.meta.resolve("uplot/dist/uPlot.min.css")), here("style.css")]
  })
  const licence = await readFile(new URL("../LICENSE", import.meta.resolve("uplot")), "utf8")
  return page.replace("<!-- licence -->", () => `<!-- In it: uPlot. ${licence.trim()} -->`)
}

if (import.meta.main) {
  const dist = here("../../../dist/admin/")
  await mkdir(dist, { recursive: true })
  await writeFile(new URL("page.html", dist), await bundlePage())
}
