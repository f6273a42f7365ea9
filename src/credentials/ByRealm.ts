/**
 * Users of several realms, each realm with its own backend.
 *
 * @module
 */

import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { algorithmsOf, Credentials, type DigestAlgorithm, type Lookup } from "../Credentials.ts"
import { realmKey } from "../protocol/digest/Challenge.ts"

type Backend = Credentials["Service"]

/**
 * Combines the backends of several realms. Names of realms are compared case-insensitively. `others` is asked for any other
 * realm; without it, other realms have no users.
 *
 * @category combinators
 * @since 0.2.0
 */
export const byRealm = (
  realms: Readonly<Record<string, Credentials["Service"]>>,
  others?: Credentials["Service"]
): Credentials["Service"] => {
  const named = new Map(Object.entries(realms).map(([realm, backend]) => [realmKey(realm), backend]))
  const all = [...new Set([...named.values(), ...(others === undefined ? [] : [others])])]
  const of = (realm: string): Backend | undefined => named.get(realmKey(realm)) ?? others
  const ask = (choose: (backend: Backend) => Lookup): Lookup => (user) => {
    const backend = of(user.realm)
    return backend === undefined ? Effect.succeed(Option.none()) : choose(backend)(user)
  }
  const some = (isThere: (backend: Backend) => unknown): boolean => all.some((one) => isThere(one) !== undefined)
  return {
    get algorithms() {
      return [...new Set(all.flatMap(({ algorithms }) => algorithms))]
    },
    algorithmsOf: (realm): ReadonlyArray<DigestAlgorithm> => {
      const backend = of(realm)
      // A challenge must not reveal that a realm has no users.
      return backend === undefined
        ? [...new Set(all.flatMap(({ algorithms }) => algorithms))]
        : algorithmsOf(backend, realm)
    },
    lookup: ask(({ lookup }) => lookup),
    get recheck() {
      return some(({ recheck }) => recheck) ? ask(({ lookup, recheck }) => recheck ?? lookup) : undefined
    },
    get refresh() {
      return some(({ refresh }) => refresh) ? ask(({ lookup, refresh }) => refresh ?? lookup) : undefined
    },
    size: () => {
      const sizes = all.map(({ size }) => size?.())
      return sizes.reduce((sum, one) => sum === undefined || one === undefined ? undefined : sum + one, 0)
    }
  }
}

/**
 * Users of several realms, each realm with its own backend; `others`, if given, has the users of all other realms. A backend
 * that is given for several realms is built once.
 *
 * @category layers
 * @since 0.2.0
 */
export const layerByRealm = <E, R>(
  realms: Readonly<Record<string, Layer.Layer<Credentials, E, R>>>,
  others?: Layer.Layer<Credentials, E, R>
): Layer.Layer<Credentials, E, R> =>
  Layer.effect(
    Credentials,
    Effect.gen(function*() {
      const made = new Map<Layer.Layer<Credentials, E, R>, Backend>()
      for (const one of new Set([...Object.values(realms), ...(others === undefined ? [] : [others])])) {
        made.set(one, Context.get(yield* Layer.build(one), Credentials))
      }
      return byRealm(
        Object.fromEntries(Object.entries(realms).map(([realm, one]) => [realm, made.get(one)!])),
        others === undefined ? undefined : made.get(others)
      )
    })
  )
