/** Whether an option is absent or a whole number above 0. Needs no schema, which would enlarge the browser bundle. */
export const isOptionalCount = (value: unknown): boolean =>
  value === undefined || (Number.isSafeInteger(value) && Number(value) > 0)
