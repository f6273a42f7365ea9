/** Makes the demo page: one HTML file with its style and its script, which includes the browser client. Run by `npm run build`. */
import { mkdir, writeFile } from "node:fs/promises"
import { fileURLToPath } from "node:url"
import { inlinePage } from "../../admin/page/bundle.ts"
import { forBrowsers } from "../../browser/bundle.ts"

const here = (name: string): URL => new URL(name, import.meta.url)

/** The page as it is served, without the values that `DemoPage` writes into it. */
export const bundlePage = async (): Promise<string> =>
  inlinePage({
    html: here("index.html"),
    script: await forBrowsers(fileURLToPath(here("page.ts"))),
    styles: [here("style.css")]
  })

if (import.meta.main) {
  const dist = here("../../../dist/demo/")
  await mkdir(dist, { recursive: true })
  await writeFile(new URL("page.html", dist), await bundlePage())
}
