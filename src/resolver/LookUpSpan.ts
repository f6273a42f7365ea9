/** The trace span of a DNS look-up. */
import * as Effect from "effect/Effect"

export const withLookUpSpan = (type: "address" | "SRV", name: string) =>
  Effect.withSpan("dns.lookup", { kind: "client", attributes: { type, name } }, { captureStackTrace: false })
