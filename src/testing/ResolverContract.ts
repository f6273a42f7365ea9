import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import { ok } from "node:assert/strict"
import * as Net from "node:net"
import { Resolver, ResolverError } from "../Resolver.ts"
import { type Contract, limited, NASTY } from "./Contract.ts"

/**
 * Names for the resolver under test to look up.
 *
 * @category models
 * @since 0.2.0
 */
export interface ResolverCase {
  /** A host that has addresses. */
  readonly host: string
  /** A name that has SRV records, for example `_msrps._tcp.example.com`. */
  readonly srv: string
  /** A name that has neither addresses nor SRV records. */
  readonly unknown: string
}

/**
 * Tests the contract of a `Resolver` that knows these names.
 *
 * @category testing
 * @since 0.2.0
 */
export const resolverContract = ({ host, srv, unknown }: ResolverCase): Contract<never> =>
  limited([
    {
      title: "has addresses of a host",
      run: Effect.gen(function*() {
        const { addresses } = yield* Resolver
        const found = yield* addresses(host)
        ok(found.length > 0, "there is none")
        for (const one of found) ok(Net.isIP(one) !== 0, `${one} is no address`)
      })
    },
    {
      title: "fails for a host that is not known",
      run: Effect.gen(function*() {
        const { addresses } = yield* Resolver
        const exit = yield* Effect.exit(addresses(unknown))
        ok(Exit.isFailure(exit), "it did not fail")
        const error = Option.getOrUndefined(Exit.findErrorOption(exit))
        ok(error instanceof ResolverError, `it does not fail with a ResolverError: ${String(exit.cause)}`)
      })
    },
    {
      title: "has the SRV records of a name, in whatever case it is asked",
      run: Effect.gen(function*() {
        const { srv: ask } = yield* Resolver
        for (const name of [srv, srv.toUpperCase()]) {
          const found = yield* ask(name)
          ok(found.length > 0, `${name} has none`)
          for (const { port, priority, target, weight } of found) {
            ok(
              [priority, weight, port].every((one) => Number.isInteger(one) && one >= 0 && one <= 65_535),
              "no such number"
            )
            ok(typeof target === "string", "a record without a target")
            ok(!target.endsWith("."), "a target with the dot of the root")
          }
        }
      })
    },
    {
      title: "has none for a name without, which is no failure",
      run: Effect.gen(function*() {
        const { srv: ask } = yield* Resolver
        ok((yield* ask(unknown)).length === 0, "there are some")
      })
    },
    {
      title: "may be asked by many at once",
      run: Effect.gen(function*() {
        const { addresses, srv: ask } = yield* Resolver
        const asked = Effect.all([addresses(host), ask(srv)], { concurrency: 2 })
        for (
          const [found, records] of yield* Effect.all(Array.from({ length: 32 }, () => asked), { concurrency: 32 })
        ) {
          ok(found.length > 0 && records.length > 0, "somebody was told that there is none")
        }
      })
    },
    {
      title: "dies of no name that a stranger may send",
      run: Effect.gen(function*() {
        const { addresses, srv: ask } = yield* Resolver
        for (const name of NASTY) {
          for (const asked of [Effect.asVoid(addresses(name)), Effect.asVoid(ask(name))]) {
            const exit = yield* Effect.exit(asked)
            ok(!(Exit.isFailure(exit) && Exit.hasDies(exit)), `of ${name.slice(0, 40)}`)
          }
        }
      })
    }
  ])
