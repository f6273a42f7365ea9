/** Pages that are one file: where they come from, and what they have in them. */
import { hash } from "node:crypto"
import { readFile } from "node:fs/promises"

/**
 * Reads a page when it is asked for first, and again as long as that fails. `bundle` is the file that `npm run build` makes.
 * Where that is missing, a clone has what it takes to make the page at once: `maker` is the module that does.
 */
export const pageReader = (bundle: URL, maker?: URL): () => Promise<string> => {
  let reading: Promise<string> | undefined
  const read = async (): Promise<string> => {
    try {
      return await readFile(bundle, "utf8")
    } catch (error) {
      if (maker === undefined || !import.meta.url.endsWith(".ts")) throw error
      const { bundlePage } = await import(/* @vite-ignore */ maker.href) as {
        readonly bundlePage: () => Promise<string>
      }
      return bundlePage()
    }
  }
  return () =>
    reading ??= read().catch((error: unknown) => {
      reading = undefined
      throw error
    })
}

/** A source for each script, or style, of a page, as a content security policy names it (CSP3 §2.3.1). */
export const hashesOf = (html: string, element: "script" | "style"): string =>
  Array.from(
    html.matchAll(new RegExp(`<${element}(?: [^>]*)?>(.*?)</${element}>`, "gs")),
    ([, text]) => `'sha256-${hash("sha256", text!, "base64")}'`
  ).join(" ")
