/** The code of an error of Node or OpenSSL, as "ECONNREFUSED"; "unknown" when it has none. */
export const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error ? String(error.code) : "unknown"
