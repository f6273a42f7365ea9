/** The path of an HTTP request, without query and fragment (RFC 9112 §3.2.1). */
export const pathOf = (url: string): string => url.replace(/[?#].*$/s, "")
