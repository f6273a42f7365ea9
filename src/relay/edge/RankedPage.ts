/** One page of items by rank, found without sorting all of them: most items are not on the page. */

/**
 * `most` items after the first `from` in order of rank, the highest first. Items of the same rank stay in their order, so
 * consecutive pages neither repeat nor omit an item.
 */
export const rankedPage = <A>(
  all: ReadonlyArray<A>,
  ranks: ReadonlyArray<number>,
  from: number,
  most: number
): Array<A> => {
  const places = placesOf(Float64Array.from(ranks), from, most)
  // A stable sort: positions of the same rank stay in their order.
  return places.sort((a, b) => ranks[b]! - ranks[a]!).map((at) => all[at]!)
}

/** The positions in `ranks` of the items on the page, ascending. */
export const placesOf = (ranks: Float64Array, from: number, most: number): Array<number> => {
  const places: Array<number> = []
  const count = ranks.length
  const until = Math.min(count, from + most)
  if (from >= until) return places
  // A typed array is sorted without a call of a comparing function.
  const sorted = ranks.toSorted()
  const highest = sorted[count - 1 - from]!
  const lowest = sorted[count - until]!
  // Items that rank as the first or the last of the page may be on the pages before and after it too.
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

/** The position of the first rank above this one. */
const firstAbove = (sorted: Float64Array, rank: number): number => {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (sorted[middle]! <= rank) low = middle + 1
    else high = middle
  }
  return low
}
