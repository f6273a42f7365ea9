/** Requests that go no further: each is counted by the status that it is answered with, and told to who listens. */
import { countRefused } from "./Counters.ts"
import type { HopFacts, RefusedRequest } from "./Observer.ts"
import type { Parties } from "./SessionRecord.ts"
import type { Shared } from "./Shared.ts"

/** How a request ends that goes no further. */
export interface Outcome {
  readonly status: number
  /** In words of the relay's own; absent where nothing is wrong. */
  readonly problem?: string | undefined
  /** The sessions whose URIs it names, if there are such. */
  readonly parties?: Parties | undefined
  /** The next hop that it cannot go to, where that is why: `msrps://host:port`. */
  readonly target?: string | undefined
}

export const refused = ({ counters, observer }: Shared, hop: HopFacts, request: RefusedRequest): void => {
  countRefused(counters, request.status)
  observer.refused(hop, request)
}
