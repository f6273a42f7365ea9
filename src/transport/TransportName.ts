/** What carries MSRP, in one word, as logs and operators have it. */
export const transportNames = ["tcp", "tls", "ws", "wss"] as const

/** What carries MSRP, in one word: `tls` and `wss` are encrypted, to a proxy that is trusted at least. */
export type TransportName = typeof transportNames[number]

/** Of a connection that came in, unless `inbound` says that it did not: by WebSocket come only clients (RFC 7977 §5.1). */
export const transportNameOf = (
  { inbound = true, secure, socket }: {
    readonly inbound?: boolean
    readonly secure: boolean
    readonly socket: { readonly transport?: "tcp" | "ws" | undefined } | undefined
  }
): TransportName => {
  if (inbound && socket?.transport === "ws") return secure ? "wss" : "ws"
  return secure ? "tls" : "tcp"
}
