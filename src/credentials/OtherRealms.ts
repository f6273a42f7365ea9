/** What is said of a file that has users of realms that no client is asked for, so that they cannot log in. */
import { printable } from "../logging/Printable.ts"
import type { UserLines } from "./UserLines.ts"

/** Maximum number of realms that are named. */
const MAX_TOLD = 5

/**
 * Lines for realms other than those whose users are looked up in the file, in words; `undefined` if there are none. With passwords the
 * realms are not named, because in a line without a realm a part of the password may stand in its place.
 */
export const otherRealms = (
  { realms }: UserLines,
  asked: ReadonlyArray<string>,
  withPasswords: boolean
): string | undefined => {
  const others = Array.from(realms).filter(([realm]) => !asked.includes(realm))
  if (others.length === 0) return undefined
  const lines = others.reduce((sum, [, { count }]) => sum + count, 0)
  const which = others.slice(0, MAX_TOLD).map(([realm, { first }]) =>
    withPasswords ? `line ${first}` : `${printable(realm)} (line ${first})`
  )
  const more = others.length - which.length
  return `${lines} line${lines === 1 ? "" : "s"} for ${
    others.length === 1 ? "a realm" : "realms"
  } whose users are not looked up there (but those of ${asked.join(", ")} are): ${which.join(", ")}${
    more === 0 ? "" : `, and ${more} more realm${more === 1 ? "" : "s"}`
  }`
}
