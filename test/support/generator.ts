/** Milliseconds that a mutated frame may take on a slow machine that others use too. */
const MILLIS_PER_FRAME = 6

/** Milliseconds for a test with so many of them. */
export const fuzzLimit = (frames: number): number => Math.max(30_000, frames * MILLIS_PER_FRAME)

/** A small generator whose numbers depend on the seed alone (mulberry32). */
export const generator = (seed: number) => {
  let state = seed >>> 0
  return (below: number): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) % below
  }
}
