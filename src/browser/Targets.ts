/** In the place of `client/Targets.ts`: who can ask no name server takes the host that is named. */
import * as Effect from "effect/Effect"
import type { Target } from "../client/Targets.ts"
import type { MsrpUri } from "../protocol/Uri.ts"

/** Of relays, recommended (RFC 4976 §8). */
const DEFAULT_PORT = 2855

export const targetsByDns = ({ host, port = DEFAULT_PORT }: MsrpUri): Effect.Effect<ReadonlyArray<Target>> =>
  Effect.succeed([{ host, port }])
