/** Requests that go no further: each is counted by the status that it is answered with, and told to who listens. */
import type { Kind } from "../protocol/StartLine.ts"
import { countRefused } from "./Counters.ts"
import type { HopFacts } from "./Observer.ts"
import type { Shared } from "./Shared.ts"

/** `status`: what it is answered with, or would be if it were (RFC 4975 §7.1.4). `problem`: what is malformed. */
export const refused = (
  { counters, observer }: Shared,
  hop: HopFacts,
  kind: Kind,
  status: number,
  problem?: string
): void => {
  countRefused(counters, status)
  observer.refused?.(hop, kind, status, problem)
}
