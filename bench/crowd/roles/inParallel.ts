/** Connections of one client that are being opened at a time. */
const CONCURRENCY = 32

/** Runs `one(0)` to `one(count - 1)` in order, some at a time. */
export const inParallel = async <A>(
  count: number,
  one: (index: number) => Promise<A>,
  concurrency = CONCURRENCY
): Promise<Array<A>> => {
  const results: Array<A> = []
  let next = 0
  const worker = async () => {
    while (next < count) {
      const index = next++
      results[index] = await one(index)
    }
  }
  await Promise.all(Array.from({ length: Math.min(count, concurrency) }, worker))
  return results
}
