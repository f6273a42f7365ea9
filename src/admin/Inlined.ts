/** Pages that consist of one file with inlined scripts and styles. */
import { hash } from "node:crypto"
import { readFile } from "node:fs/promises"

/**
 * Reads a page on first use, and again as long as that fails. `bundle` is the file that `npm run build` makes. If it is
 * missing in a clone of the repository, the module `maker` makes the page.
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

/** The hash of each inlined script, or style, as a source of a content security policy (CSP3 §2.3.1). */
export const hashesOf = (html: string, element: "script" | "style"): string =>
  Array.from(
    html.matchAll(new RegExp(`<${element}(?: [^>]*)?>(.*?)</${element}>`, "gs")),
    ([, text]) => `'sha256-${hash("sha256", text!, "base64")}'`
  ).join(" ")
