/** Realms that settings name although no client is challenged for them, so that those settings have no effect. */
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

/** Maximum number of entries in a warning. */
const MAX_TOLD = 5
