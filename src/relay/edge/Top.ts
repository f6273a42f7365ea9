/** The first of many without sorting them all: most of what there is has a rank that is on no page. */
import { Heap } from "../../collections/Heap.ts"

/**
 * Those with most of something, the most first; of two with as much the one that came first. So the pages of one order have
 * none twice and leave none out.
 */
export const topOf = <A>(all: ReadonlyArray<A>, rank: (one: A) => number, most: number): ReadonlyArray<A> => {
  const ranks = Float64Array.from(all, rank)
  const places = placesOf(ranks, most)
  // Those with as much stay in their order.
  return places.sort((a, b) => ranks[b]! - ranks[a]!).slice(0, most).map((at) => all[at]!)
}

/** Where those stand that have most: of those with as much in their order. */
export const placesOf = (ranks: Float64Array, most: number): Array<number> => {
  if (most >= ranks.length) return Array.from(ranks.keys())
  const least = leastOf(ranks, most)
  const above: Array<number> = []
  const equal: Array<number> = []
  for (let at = 0; at < ranks.length; at++) {
    if (ranks[at]! > least) above.push(at)
    else if (ranks[at] === least && equal.length < most) equal.push(at)
  }
  return [...above, ...equal.slice(0, most - above.length)]
}

/** The lowest rank that is among the first. */
const leastOf = (ranks: Float64Array, most: number): number => {
  const best = new Heap<undefined>()
  for (const rank of ranks) {
    const { first } = best
    if (best.size < most || first === undefined) best.add(undefined, rank)
    else if (rank > first.rank) best.move(first, rank)
  }
  return best.first?.rank ?? Infinity
}
