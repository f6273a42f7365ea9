/** What a relay does where time does not matter: the same on every transport. */
import { access } from "./scenarios/access.ts"
import { auth } from "./scenarios/auth.ts"
import { chunks } from "./scenarios/chunks.ts"
import { failures } from "./scenarios/failures.ts"
import { methods } from "./scenarios/methods.ts"
import type { Setting } from "./scenarios/ScenarioGroup.ts"
import { sends } from "./scenarios/send.ts"

export const scenarios = (
  name: string,
  scheme: Setting["scheme"],
  transport: Setting["transport"],
  by: Setting["by"] = "tcp"
): void => {
  for (const group of [auth, sends, methods, failures, access, chunks]) group.run({ name, scheme, transport, by })
}
