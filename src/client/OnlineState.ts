import type * as DateTime from "effect/DateTime"
import type { ResolverError } from "../Resolver.ts"
import type { TransportError } from "../Transport.ts"
import type { Grant } from "./Auth.ts"
import type { ClientError } from "./ClientError.ts"

/**
 * Why a client is not online: it did not find or reach the relay, was not let in, or has lost the connection.
 *
 * @category errors
 * @since 0.2.0
 */
export type OnlineError = ClientError | TransportError | ResolverError

/**
 * How it stands with a client that stays online.
 *
 * - `Connecting`: to the relay, or logging in.
 * - `Online`: logged in. Each login gives another path, also one on the same connection: peers must be told.
 * - `Offline`: the connection is lost or was not made, and is tried again at `retryAt`.
 * - `Closed`: for good: its scope is closed, or the relay does not let this user in.
 *
 * @category models
 * @since 0.2.0
 */
export type OnlineState =
  | { readonly _tag: "Connecting" }
  | {
    readonly _tag: "Online"
    /** By which peers reach it: what stands in its SDP (RFC 4976 §5.1), with its `uri` at the end. */
    readonly path: ReadonlyArray<string>
    readonly grant: Grant
    /** When the path ends. It is renewed before. */
    readonly expiresAt: DateTime.Utc
  }
  | { readonly _tag: "Offline"; readonly error: OnlineError; readonly retryAt: DateTime.Utc }
  | { readonly _tag: "Closed"; readonly error: ClientError }
