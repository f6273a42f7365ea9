/** Finds the hosts of a relay by DNS. Browsers, which have no access to DNS, use `browser/Targets.ts` instead. */
import type * as Effect from "effect/Effect"
import type { MsrpUri } from "../protocol/Uri.ts"
import { type ResolverError, targetsOf } from "../Resolver.ts"

export interface Target {
  readonly host: string
  readonly port: number
}

/** Hosts and ports to try, in this order (RFC 4976 §8). */
export const targetsByDns = (uri: MsrpUri): Effect.Effect<ReadonlyArray<Target>, ResolverError> => targetsOf(uri)
