/** Whether an option is a whole number above 0, or left out: without what a page would have to load for more. */
export const isWhole = (value: unknown): boolean =>
  value === undefined || (Number.isSafeInteger(value) && Number(value) > 0)
