/** The URIs of a client itself. */
import { sessionId } from "../protocol/Ident.ts"
import { DEFAULT_PORT, formatUri, type UriParts } from "../protocol/Uri.ts"
import type { Address } from "../transport/Connection.ts"

/**
 * A random host in `.invalid`, for clients that do not know an address of their own, or do not keep it (RFC 7977 App. A).
 * Nothing connects to it.
 */
export const invalidAddress = (): Address => ({ host: `${sessionId().slice(0, 12)}.invalid`, port: DEFAULT_PORT })

/** The URI of a new session. */
export const newSessionUri = (
  scheme: UriParts["scheme"],
  { host, port }: Address,
  transport: UriParts["transport"]
): string => formatUri({ scheme, host, port, sessionId: sessionId(), transport })
