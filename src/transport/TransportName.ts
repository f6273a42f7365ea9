/** The transport of a connection in one word, for the log, the admin API, traces and metrics. */

/** MSRP over TCP, TLS, WebSocket, and WebSocket with TLS (RFC 4975 §6, RFC 7977 §5). */
export const transportNames = ["tcp", "tls", "ws", "wss"] as const

/**
 * The transport of a connection in one word.
 *
 * @category models
 * @since 0.2.0
 */
export type TransportName = typeof transportNames[number]

/** The word for a `Connection`. Behind a proxy, it says whether the client speaks TLS to the proxy, as `secure` does. */
export const transportName = (
  { secure, transport }: { readonly secure: boolean; readonly transport: "tcp" | "ws" }
): TransportName => transport === "ws" ? (secure ? "wss" : "ws") : secure ? "tls" : "tcp"
