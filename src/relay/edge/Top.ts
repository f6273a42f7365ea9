/** A page of many by rank, without an order of them all: most of what there is has a rank that is not on the page. */

/**
 * From those with most of something, the most first: `most` of them after the first `from`. Of two with as much the one that
 * came first is first. So the pages of one order have none twice and leave none out.
 */
export const topOf = <A>(
  all: ReadonlyArray<A>,
  ranks: ReadonlyArray<number>,
  from: number,
  most: number
): Array<A> => {
  const places = placesOf(Float64Array.from(ranks), from, most)
  // Those with as much are in their order.
  return places.sort((a, b) => ranks[b]! - ranks[a]!).map((at) => all[at]!)
}

/** Where those of the page stand, in their order. */
export const placesOf = (ranks: Float64Array, from: number, most: number): Array<number> => {
  const places: Array<number> = []
  const count = ranks.length
  const until = Math.min(count, from + most)
  if (from >= until) return places
  // Numbers alone are sorted without a call for two of them.
  const sorted = ranks.toSorted()
  const highest = sorted[count - 1 - from]!
  const lowest = sorted[count - until]!
  // Of those with as much as the ends of the page, some are on the pages before and behind it.
  let atHighest = count - firstAbove(sorted, highest)
  let atLowest = count - firstAbove(sorted, lowest)
  for (let at = 0; at < count; at++) {
    const rank = ranks[at]!
    if (rank < lowest || rank > highest) continue
    const place = rank === highest ? atHighest++ : rank === lowest ? atLowest++ : from
    if (place >= from && place < until) places.push(at)
  }
  return places
}

/** Where the first one is that is larger. */
const firstAbove = (sorted: Float64Array, rank: number): number => {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (sorted[middle]! <= rank) low = middle + 1
    else high = middle
  }
  return low
}
