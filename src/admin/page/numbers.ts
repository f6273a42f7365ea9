/** Formats numbers, amounts and times for people. */

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 })
const tenth = new Intl.NumberFormat("en", { minimumFractionDigits: 1, maximumFractionDigits: 1 })
const UNITS = ["B", "kB", "MB", "GB", "TB"]

/** Shown for an unknown value. */
export const NONE = "–"

export const count = (value: number | null | undefined): string =>
  value === null || value === undefined ? NONE : whole.format(value)

/** A rate; small ones have one decimal. */
export const rate = (value: number | null | undefined): string =>
  value === null || value === undefined ? NONE : value > 0 && value < 10 ? tenth.format(value) : whole.format(value)

/** An amount of octets, as a number and a unit. */
export const amount = (octets: number | null | undefined): readonly [value: string, unit: string] => {
  if (octets === null || octets === undefined) return [NONE, ""]
  let value = octets
  let unit = 0
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000
    unit++
  }
  return [unit > 0 && value < 99.95 ? tenth.format(value) : whole.format(value), UNITS[unit]!]
}

export const octets = (value: number | null | undefined): string => amount(value).join(" ").trimEnd()

/** A number of milliseconds; small ones have one decimal. */
export const millis = (value: number | null | undefined): string =>
  value === null || value === undefined ? NONE : value > 0 && value < 10 ? tenth.format(value) : whole.format(value)

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** A duration of `time` milliseconds, in its two largest units. */
export const duration = (time: number): string => {
  const part = (unit: number, below: number): number => Math.floor(time % below / unit)
  if (time < MINUTE) return `${Math.max(0, Math.floor(time / SECOND))} s`
  if (time < HOUR) return `${part(MINUTE, HOUR)} min ${part(SECOND, MINUTE)} s`
  if (time < DAY) return `${part(HOUR, DAY)} h ${part(MINUTE, HOUR)} min`
  return `${Math.floor(time / DAY)} d ${part(HOUR, DAY)} h`
}

const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" })
const shortClock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" })
const date = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" })
const full = new Intl.DateTimeFormat("en-GB", {
  year: "numeric",
  month: "short",
  day: "numeric",
  hour: "2-digit",
  minute: "2-digit"
})
const long = new Intl.DateTimeFormat("en-GB", {
  day: "numeric",
  month: "short",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit"
})

export const timeOfDay = (time: number): string => clock.format(time)
export const hourAndMinute = (time: number): string => shortClock.format(time)
export const dayAndTime = (time: number): string => date.format(time)
export const exactTime = (time: number): string => long.format(time)

/** A date and time that may be in another year than now. */
export const dateAndTime = (time: number): string => full.format(time)

/** Whole days until `then`; negative if it has passed. */
export const daysUntil = (then: number, now: number): number => Math.floor((then - now) / DAY)
