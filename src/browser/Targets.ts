/** Replaces `client/Targets.ts` in browsers, which have no access to DNS: the host of the URI is used. */
import * as Effect from "effect/Effect"
import type { Target } from "../client/Targets.ts"
import { DEFAULT_PORT, type MsrpUri } from "../protocol/Uri.ts"

export const targetsByDns = ({ host, port = DEFAULT_PORT }: MsrpUri): Effect.Effect<ReadonlyArray<Target>> =>
  Effect.succeed([{ host, port }])
