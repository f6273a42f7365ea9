/**
 * Makes the status page: one HTML file with its script and style inlined, so that the relay serves it without a folder of
 * assets and a browser asks nobody else for anything. Run by `npm run build`.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises"
import { fileURLToPath } from "node:url"
import { rolldown } from "rolldown"

const here = (name: string): URL => new URL(name, import.meta.url)

/** The page as it is served. */
export const bundlePage = async (): Promise<string> => {
  await using bundle = await rolldown({
    input: fileURLToPath(here("page.ts")),
    platform: "browser",
    // What is not found would be left for the browser to find.
    onLog: (_, log) => {
      throw new Error(log.message)
    }
  })
  const { output: [{ code }] } = await bundle.generate({ format: "iife", minify: true })
  const [html, chartStyle, chartLicence, style] = await Promise.all([
    readFile(here("index.html"), "utf8"),
    readFile(new URL(import.meta.resolve("uplot/dist/uPlot.min.css")), "utf8"),
    readFile(new URL("../LICENSE", import.meta.resolve("uplot")), "utf8"),
    readFile(here("style.css"), "utf8")
  ])
  return html
    .replace("<!-- licence -->", () => `<!-- In it: uPlot. ${chartLicence.trim()} -->`)
    .replace("<!-- style -->", () => `<style>${chartStyle}${style}</style>`)
    .replace("<!-- script -->", () => `<script>${code.replaceAll("</script", "<\\/script")}</script>`)
}

if (import.meta.main) {
  const dist = here("../../../dist/admin/")
  await mkdir(dist, { recursive: true })
  await writeFile(new URL("page.html", dist), await bundlePage())
}
