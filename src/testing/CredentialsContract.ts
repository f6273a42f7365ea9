import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict"
import { algorithmsOf, Credentials, type DigestAlgorithm, type Secret } from "../Credentials.ts"
import { ha1 } from "../protocol/digest/Digest.ts"
import { type Contract, limited, NASTY } from "./Contract.ts"

/**
 * A user known to the credentials under test.
 *
 * @category models
 * @since 0.2.0
 */
export interface KnownUser {
  readonly username: string
  readonly realm: string
  readonly password: string
}

const ha1Of = (secret: Secret, algorithm: DigestAlgorithm, { password, realm, username }: KnownUser) =>
  secret._tag === "Password"
    ? ha1(algorithm, username, realm, Redacted.value(secret.password))
    : secret.ha1[algorithm] === undefined
    ? ha1(algorithm, username, realm, password)
    : Redacted.value(secret.ha1[algorithm]).toLowerCase()

/**
 * Tests the contract of `Credentials` that know this user.
 *
 * @category testing
 * @since 0.2.0
 */
export const credentialsContract = (user: KnownUser): Contract<Credentials> => {
  const { password, realm, username } = user
  const absent = (other: Partial<KnownUser>) =>
    Effect.gen(function*() {
      const { lookup } = yield* Credentials
      deepStrictEqual(yield* lookup({ username, realm, ...other }), Option.none())
    })
  return limited([
    {
      title: "have the secret of a user, for an algorithm that they offer",
      run: Effect.gen(function*() {
        const credentials = yield* Credentials
        const secret = Option.getOrThrow(yield* credentials.lookup({ username, realm }))
        const offered = algorithmsOf(credentials, realm)
        ok(offered.length > 0, "no algorithm is offered")
        const usable = offered.filter((one) => secret._tag === "Password" || secret.ha1[one] !== undefined)
        ok(usable.length > 0, "the user has a secret for none of the algorithms that are offered")
        for (const one of usable) strictEqual(ha1Of(secret, one, user), ha1(one, username, realm, password))
      })
    },
    { title: "say that there is no such user", run: absent({ username: `${username}-nobody` }) },
    {
      title: "tell names apart by case and blanks",
      run: Effect.andThen(absent({ username: `${username} ` }), absent({ username: username.toUpperCase() }))
    },
    {
      title: "take what strangers send for names of nobody",
      run: Effect.gen(function*() {
        const { lookup } = yield* Credentials
        for (const name of NASTY) {
          const found = yield* Effect.exit(lookup({ username: name, realm }))
          ok(
            Exit.isSuccess(found) ? Option.isNone(found.value) : !Exit.hasDies(found),
            `asked for ${name.slice(0, 40)}`
          )
        }
        ok(Option.isSome(yield* lookup({ username, realm })), "the user is not found afterwards")
      })
    },
    {
      title: "find the same behind their cache, if they have one",
      run: Effect.gen(function*() {
        const credentials = yield* Credentials
        for (const name of ["recheck", "refresh"] as const) {
          const ask = credentials[name]
          if (ask === undefined) continue
          ok(Option.isSome(yield* ask({ username, realm })), `${name} does not find the user`)
          ok(Option.isNone(yield* ask({ username: `${username}-nobody`, realm })), `${name} finds a user of any name`)
        }
      })
    },
    {
      title: "go on when somebody who has asked is gone",
      run: Effect.gen(function*() {
        const { lookup } = yield* Credentials
        const asking = yield* Effect.forkChild(lookup({ username, realm }), { startImmediately: true })
        yield* Fiber.interrupt(asking)
        ok(Option.isSome(yield* lookup({ username, realm })), "the user is not found afterwards")
      })
    },
    {
      title: "may be asked by many at once",
      run: Effect.gen(function*() {
        const { lookup } = yield* Credentials
        const names = Array.from({ length: 100 }, (_, n) => n % 2 === 0 ? username : `${username}-nobody`)
        const found = yield* Effect.forEach(names, (name) => lookup({ username: name, realm }), { concurrency: 100 })
        deepStrictEqual(found.map(Option.isSome), names.map((name) => name === username))
      })
    }
  ])
}
