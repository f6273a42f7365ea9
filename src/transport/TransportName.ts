/** What a connection runs on, in one word: for the log, the admin API, traces and metrics. */

/** MSRP by TCP, by TLS, by WebSocket, and by WebSocket with TLS (RFC 4975 §6, RFC 7977 §5). */
export const transportNames = ["tcp", "tls", "ws", "wss"] as const

export type TransportName = typeof transportNames[number]

/** The word for a `Connection`. Behind a proxy, `secure` is what the client speaks to that, and so is the word. */
export const transportName = (
  { secure, transport }: { readonly secure: boolean; readonly transport: "tcp" | "ws" }
): TransportName => transport === "ws" ? (secure ? "wss" : "ws") : secure ? "tls" : "tcp"
