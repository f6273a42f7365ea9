/** Codes and descriptions of errors of Node, OpenSSL and SQLite. */
import { errorWords } from "./ErrorWords.ts"

/** The code of an error, such as "ECONNREFUSED"; "unknown" if it has none. */
export const codeOf = (error: unknown): string => {
  const { code } = (error instanceof Error ? error : {}) as { readonly code?: string | number | null }
  return String(code ?? "unknown")
}

/** The error in words, with its code; the code alone if there are no words. SQLite's errors share one code, and have their own words. */
export const wordsOf = (error: unknown): string => {
  if (error instanceof Error && "errstr" in error) return String(error.errstr)
  const code = codeOf(error)
  const known = errorWords.get(code)
  return known === undefined ? code : `${known} (${code})`
}
