/**
 * Builds the status page: one HTML file with inlined script and style, so that the relay serves it without a folder of assets
 * and a browser loads nothing from elsewhere. Run by `npm run build`.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises"
import { fileURLToPath } from "node:url"
import { type InputOptions, rolldown } from "rolldown"

const here = (name: string): URL => new URL(name, import.meta.url)

/** Styles that all pages share. */
const BASE_STYLE = here("base.css")

/** Inlines a script and styles into a page, in place of the comments `<!-- script -->` and `<!-- style -->`. */
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

/** Builds the page as it is served. */
export const bundlePage = async (): Promise<string> => {
  const page = await inlinePage({
    html: here("index.html"),
    script: {
      input: fileURLToPath(here("page.ts")),
      platform: "browser",
      // A module that is not found would otherwise be left as an import for the browser.
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
