/** The first of many without sorting them all: fifty thousand sessions are looked at in some milliseconds. */
import { Heap, type Ranked } from "../../collections/Heap.ts"

/** Those with most of something, the most first. */
export const topOf = <A>(all: Iterable<A>, rank: (one: A) => number, most: number): ReadonlyArray<A> => {
  const least = new Heap<A>()
  for (const one of all) {
    const value = rank(one)
    if (least.size >= most) {
      const first: Ranked<A> | undefined = least.first
      if (first === undefined || first.rank >= value) continue
      least.delete(first)
    }
    least.add(one, value)
  }
  const ascending: Array<A> = []
  for (let first = least.first; first !== undefined; first = least.first) {
    ascending.push(first.value)
    least.delete(first)
  }
  return ascending.toReversed()
}
