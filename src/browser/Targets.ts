/** In the place of `client/Targets.ts`: who can ask no name server takes the host that is named. */
import * as Effect from "effect/Effect"
import type { Target } from "../client/Targets.ts"
import { DEFAULT_PORT, type MsrpUri } from "../protocol/Uri.ts"

export const targetsByDns = ({ host, port = DEFAULT_PORT }: MsrpUri): Effect.Effect<ReadonlyArray<Target>> =>
  Effect.succeed([{ host, port }])
