/** Realms that settings name although no client is challenged for them, so that those settings have no effect. */
import type { UserLines } from "../../../credentials/UserLines.ts"
import { printable } from "../../../logging/Printable.ts"
import { realmKey } from "../../../protocol/digest/Challenge.ts"
import { canonicalHost } from "../../../protocol/Uri.ts"
import { type Values, variables } from "../Table.ts"
import type { Addresses } from "./Addresses.ts"

/** The realms that clients are asked for. */
export const askedRealms = (
  { uris }: Pick<Addresses, "uris">,
  { realm }: Pick<Values, "realm">
): ReadonlyArray<string> =>
  realm === undefined ? [...new Set(uris.map(({ host }) => canonicalHost(host)))] : [realm.normalize("NFC")]

/**
 * Warns of lines of a file for realms other than those whose users are looked up there. With passwords the realms are not
 * named, because in a line without a realm a part of the password may stand in its place.
 */
export const otherRealmsWarning = (
  { realms }: UserLines,
  asked: ReadonlyArray<string>,
  { path, withPasswords }: { readonly path: string; readonly withPasswords: boolean }
): string | undefined => {
  const others = Array.from(realms).filter(([realm]) => !asked.includes(realm))
  if (others.length === 0) return undefined
  const lines = others.reduce((sum, [, { count }]) => sum + count, 0)
  const which = others.slice(0, MAX_TOLD).map(([realm, { first }]) =>
    withPasswords ? `line ${first}` : `${printable(realm)} (line ${first})`
  )
  const more = others.length - which.length
  return `${variables.credentialsFile.variable} has ${lines} line${lines === 1 ? "" : "s"} for ${
    others.length === 1 ? "a realm" : "realms"
  } whose users are not looked up there (but those of ${asked.join(", ")} are): ${which.join(", ")}${
    more === 0 ? "" : `, and ${more} more realm${more === 1 ? "" : "s"}`
  } (${path})`
}

/** Warns of such realms. An entry of MSRP_USERS is identified only by its position. */
export const realmWarnings = (addresses: Addresses, values: Values): ReadonlyArray<string> => {
  const asked = askedRealms(addresses, values)
  const isAsked = (realm: string) => asked.includes(realm.normalize("NFC"))
  const anyCase = new Set(asked.map(realmKey))
  const isNamed = (realm: string) => anyCase.has(realmKey(realm))
  const entries = (values.users ?? []).flatMap(({ realm }, i) => realm === undefined || isAsked(realm) ? [] : [i + 1])
  const sources = (values.credentials ?? []).flatMap(({ realm }) =>
    realm === undefined || isNamed(realm) ? [] : [realm]
  )
  const withoutMd5 = (values.realmsWithoutMd5 ?? []).filter((realm) => !isNamed(realm))
  const of = `no client is asked for (but for ${asked.join(", ")})`
  return [
    ...entries.length === 0
      ? []
      : [`${variables.users.variable} has in entry ${entries.slice(0, MAX_TOLD).join(", ")} a realm that ${of}`],
    ...sources.length === 0 ? [] : [`${variables.credentials.variable} names ${sources.join(", ")}, which ${of}`],
    ...withoutMd5.length === 0
      ? []
      : [`${variables.realmsWithoutMd5.variable} names ${withoutMd5.join(", ")}, which ${of}`]
  ]
}

/** Maximum number of entries, or realms, in a warning. */
const MAX_TOLD = 5
