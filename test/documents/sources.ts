/** What the documents say in numbers, as the code has it; and how they write it. */
import * as Duration from "effect/Duration"
import { textOf } from "./fences.ts"

/** What stands in a file of the program behind these words: what no other file needs is not exported. */
const behind = (path: string, words: string, value: RegExp): string => {
  const [, rest] = textOf(path).split(words, 2)
  const [found] = value.exec(rest ?? "") ?? []
  if (found === undefined) throw new Error(`${path} has no ${words}`)
  return found
}

/** A number there. */
export const numberIn = (path: string, words: string): number =>
  Number(behind(path, words, /^[\d_]+/).replaceAll("_", ""))

/** Milliseconds of a time there. */
export const timeIn = (path: string, words: string): number =>
  Duration.toMillis(behind(path, words, /(?<=^")[^"]+/) as Duration.Input)

/** `10,000` */
export const many = (count: number): string => count.toLocaleString("en")

const inUnits = (amount: number, units: ReadonlyArray<readonly [size: number, name: string]>): string => {
  const [size, name] = units.find(([size]) => amount % size === 0)!
  return `${many(amount / size)} ${name}`
}

/** `8 KiB` */
export const size = (octets: number): string => inUnits(octets, [[1024 ** 3, "GiB"], [1024 ** 2, "MiB"], [1024, "KiB"]])

const times = [[86_400_000, "day"], [3_600_000, "hour"], [60_000, "minute"], [1000, "second"]] as const

/** `30 seconds` */
export const time = (millis: number): string => {
  const text = inUnits(millis, times)
  return text.startsWith("1 ") ? text : `${text}s`
}

const words = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]

/** `two` */
export const word = (count: number): string => words[count]!
