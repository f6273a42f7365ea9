/**
 * Where a relay is that is known by its URI. In the place of this stands `browser/Targets.ts` in a browser, which can ask no
 * name server.
 */
import type * as Effect from "effect/Effect"
import type { MsrpUri } from "../protocol/Uri.ts"
import { type ResolverError, targetsOf } from "../Resolver.ts"

export interface Target {
  readonly host: string
  readonly port: number
}

/** Hosts and ports to try, in this order. */
export const targetsByDns = (uri: MsrpUri): Effect.Effect<ReadonlyArray<Target>, ResolverError> => targetsOf(uri)
