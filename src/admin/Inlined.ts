/** What a page has in it, as a content security policy names it (CSP3 §2.3.1). */
import { hash } from "node:crypto"

/** A source for each script, or style, of a page. */
export const hashesOf = (html: string, element: "script" | "style"): string =>
  Array.from(
    html.matchAll(new RegExp(`<${element}(?: [^>]*)?>(.*?)</${element}>`, "gs")),
    ([, text]) => `'sha256-${hash("sha256", text!, "base64")}'`
  ).join(" ")
