/** Requests that go no further: each is counted by the status of its answer, and reported to the observer. */
import { countRefused } from "./Counters.ts"
import type { HopFacts, RefusedRequest } from "./Observer.ts"
import type { Parties } from "./SessionRecord.ts"
import type { Shared } from "./Shared.ts"

/** The outcome of a request that goes no further. */
export interface Outcome {
  readonly status: number
  /** In the words of the log; absent if nothing is wrong. */
  readonly problem?: string | undefined
  /** The sessions whose URIs the request names, if there are any. */
  readonly parties?: Parties | undefined
  /** The next hop to which the request cannot go, if that is the reason: `msrps://host:port`. */
  readonly target?: string | undefined
}

export const refused = ({ counters, observer }: Shared, hop: HopFacts, request: RefusedRequest): void => {
  countRefused(counters, request.status)
  observer.refused(hop, request)
}
