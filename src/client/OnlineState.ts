import type * as DateTime from "effect/DateTime"
import type { ResolverError } from "../Resolver.ts"
import type { TransportError } from "../Transport.ts"
import type { Grant } from "./Auth.ts"
import type { ClientError } from "./ClientError.ts"

/**
 * Why a client is not online: it did not find or reach the relay, its login was refused, or the connection was lost.
 *
 * @category errors
 * @since 0.2.0
 */
export type OnlineError = ClientError | TransportError | ResolverError

/**
 * The state of a client that stays online.
 *
 * - `Connecting`: connecting to the relay, or logging in.
 * - `Online`: logged in. Each login gives a new path, even on the same connection; peers need the new one.
 * - `Offline`: the connection was lost or could not be made. The next attempt is at `retryAt`.
 * - `Closed`: the scope is closed, or the relay refuses this user. Nothing more is tried.
 *
 * @category models
 * @since 0.2.0
 */
export type OnlineState =
  | { readonly _tag: "Connecting" }
  | {
    readonly _tag: "Online"
    /** The path by which peers reach the client, for its SDP (RFC 4976 §5.1), with its `uri` at the end. */
    readonly path: ReadonlyArray<string>
    readonly grant: Grant
    /** When the path expires. It is renewed before. */
    readonly expiresAt: DateTime.Utc
  }
  | { readonly _tag: "Offline"; readonly error: OnlineError; readonly retryAt: DateTime.Utc }
  | { readonly _tag: "Closed"; readonly error: ClientError }
