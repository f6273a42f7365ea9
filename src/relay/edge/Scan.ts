/**
 * A scan of all sessions or connections, which pauses after some of them so that others have their turn: run in one turn of the
 * event loop, or in several.
 */
import * as Effect from "effect/Effect"
import type { Page } from "./Operator.ts"
import { rankedPage } from "./RankedPage.ts"

/** The most items of a page, and how many it has by default. */
export const MAX_ITEMS = 1000
export const ITEMS = 100

/** Sessions or connections that are visited in one turn of the event loop. */
export const AT_ONCE = 1000

/** Yields where it may pause, and returns what it has found. */
export type Scan<A> = Generator<void, A>

interface PageBounds {
  /** Position of the first item, from 0. */
  readonly offset?: number | undefined
  readonly limit?: number | undefined
}

/**
 * One page of the items that fit: by rank, the highest first, or in the order of `all`, in which case only the items of the page
 * are kept.
 */
export function* pageOf<A, B>(
  all: Iterable<A>,
  fits: (one: A) => boolean,
  rank: ((one: A) => number) | undefined,
  { limit = ITEMS, offset = 0 }: PageBounds,
  summaryOf: (one: A) => B
): Scan<Page<B>> {
  const most = Math.min(Math.max(0, limit), MAX_ITEMS)
  const from = Math.max(0, offset)
  const kept: Array<A> = []
  const ranks: Array<number> = []
  let [visited, total] = [0, 0]
  for (const one of all) {
    if (++visited % AT_ONCE === 0) yield
    if (!fits(one)) continue
    if (rank !== undefined || (total >= from && kept.length < most)) kept.push(one)
    if (rank !== undefined) ranks.push(rank(one))
    total++
  }
  const items = rank === undefined ? kept : rankedPage(kept, ranks, from, most)
  return { total, items: items.map(summaryOf) }
}

/** Runs it in this turn of the event loop. */
export const inOneTurn = <A>(scan: Scan<A>): A => {
  for (;;) {
    const { done, value } = scan.next()
    if (done === true) return value
  }
}

/** Runs it in as many turns of the event loop as it pauses, and one more. */
export const inSeveralTurns = Effect.fnUntraced(function*<A>(scan: Scan<A>): Effect.fn.Return<A> {
  for (;;) {
    const { done, value } = scan.next()
    if (done === true) return value
    yield* Effect.yieldNow
  }
})
