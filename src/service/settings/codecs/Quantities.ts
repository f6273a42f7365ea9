/** Codecs of numbers, durations and sizes. */
import * as ByteSize from "effect/ByteSize"
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { fromParse, type TextCodec } from "./Codec.ts"

export const DAY = 86_400

export const wholeNumber = (minimum: number, maximum: number): TextCodec<number> =>
  Schema.String.check(Schema.isPattern(/^\d+$/)).pipe(
    Schema.decodeTo(Schema.NumberFromString),
    Schema.check(Schema.isBetween({ minimum, maximum }))
  )

const UNITS: Readonly<Record<string, "millis" | "seconds" | "minutes" | "hours" | "days">> = {
  ms: "millis",
  milli: "millis",
  millis: "millis",
  s: "seconds",
  sec: "seconds",
  secs: "seconds",
  second: "seconds",
  seconds: "seconds",
  "": "seconds",
  m: "minutes",
  min: "minutes",
  mins: "minutes",
  minute: "minutes",
  minutes: "minutes",
  h: "hours",
  hour: "hours",
  hours: "hours",
  d: "days",
  day: "days",
  days: "days"
}

const AMOUNT = /^(\d{1,12}(?:\.\d{1,6})?)\s*([a-z]*)$/i

/**
 * Seconds, or a duration with a unit. `whole`: only whole seconds, for values that are sent in headers without
 * fractions.
 */
export const seconds = (minimum: number, maximum: number, whole = false): TextCodec<number> =>
  fromParse((text) => {
    const [, amount = "", unit = ""] = AMOUNT.exec(text) ?? []
    const name = UNITS[unit.toLowerCase()]
    if (amount === "" || name === undefined) return Result.fail(undefined)
    const value = Duration.toSeconds(Duration.fromInputUnsafe(`${Number(amount)} ${name}`))
    return value >= minimum && value <= maximum && (!whole || Number.isInteger(value))
      ? Result.succeed(value)
      : Result.fail(undefined)
  }, String)

/** Octets, or a size with a unit (`kB` is 1000, `KiB` 1024). `none`: whether 0 is valid too. */
export const octets = (minimum: number, maximum: number, none = false): TextCodec<number> =>
  fromParse((text) => {
    if (none && text === "0") return Result.succeed(0)
    const size = ByteSize.fromString(/^\d{1,20}$/.test(text) ? `${text} B` : text.slice(0, 40))
    return Option.isSome(size) && size.value >= BigInt(minimum) && size.value <= BigInt(maximum)
      ? Result.succeed(Number(size.value))
      : Result.fail(undefined)
  }, String)
