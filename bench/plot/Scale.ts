/** An axis: the position of each value, from 0 to 1, and the values that get a line. */
export interface Scale {
  readonly at: (value: number) => number
  readonly ticks: ReadonlyArray<number>
}

/** From a tick below the least value to one above the greatest. */
export const logScale = (values: ReadonlyArray<number>): Scale => {
  const positive = values.filter((value) => value > 0 && Number.isFinite(value))
  const candidates = Array.from({ length: 16 }, (_, i) => [1, 2, 5].map((digit) => digit * 10 ** (i - 6))).flat()
  const low = candidates.findLast((tick) => tick <= Math.min(...positive)) ?? 1
  const high = candidates.find((tick) => tick >= Math.max(...positive) && tick > low) ?? low * 10
  const between = candidates.filter((tick) => tick >= low && tick <= high)
  // With many decades, only powers of ten have room for labels.
  const whole = between.filter((tick) => Number.isInteger(Math.round(Math.log10(tick) * 1e6) / 1e6))
  const span = Math.log(high / low)
  return {
    at: (value) => Math.log(Math.max(value, low) / low) / span,
    ticks: between.length > 8 ? whole : between
  }
}

/** These values at equal distances. */
export const stepScale = (values: ReadonlyArray<number>): Scale => {
  const ticks = [...new Set(values)].sort((one, other) => one - other)
  return { at: (value) => (ticks.indexOf(value) + 0.5) / ticks.length, ticks }
}

/** These values, at the distances of their logarithms. */
export const logSteps = (values: ReadonlyArray<number>): Scale => {
  const ticks = [...new Set(values)].sort((one, other) => one - other)
  const [low = 1, high = 10] = [ticks[0], ticks.at(-1)]
  return { at: (value) => 0.06 + 0.88 * (high > low ? Math.log(value / low) / Math.log(high / low) : 0.5), ticks }
}
