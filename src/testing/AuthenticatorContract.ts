import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { ok, strictEqual } from "node:assert/strict"
import { inspect } from "node:util"
import { type AuthDecision, Authenticator, type AuthRequest } from "../Authenticator.ts"
import { isDecision } from "../authenticator/AuthDecision.ts"
import { parseUri } from "../protocol/Uri.ts"
import { type Contract, limited, NASTY } from "./Contract.ts"

/**
 * A user known to the authenticator under test, with right and wrong credentials.
 *
 * @category models
 * @since 0.2.0
 */
export interface AuthenticatorCase {
  readonly username: string
  readonly realm: string
  /** Makes a valid Authorization value for the given WWW-Authenticate values; there are none if the AUTH was not challenged. */
  readonly right: (wwwAuthenticate: ReadonlyArray<string>, requestUri: string) => string
  /** Makes an Authorization value that is well-formed, but wrong. */
  readonly wrong: (wwwAuthenticate: ReadonlyArray<string>, requestUri: string) => string
}

/** Whether its parts have the types, and the lines, that answers and the log need. */
const isUsable = (decision: AuthDecision): boolean =>
  decision !== undefined && isDecision(decision) && !(decision._tag === "Rejected" && /[\r\n]/.test(decision.comment))

const URI = "msrps://relay.example.com:2855;tcp"

/**
 * Tests the contract of an `Authenticator` that requires Authorization.
 *
 * @category testing
 * @since 0.2.0
 */
export const authenticatorContract = (one: AuthenticatorCase): Contract<Authenticator> => {
  const ask = (authorization?: string, more: Partial<AuthRequest> = {}) =>
    Effect.flatMap(
      Authenticator,
      ({ authenticate }) =>
        authenticate({ requestUri: parseUri(URI)!, authorization, realm: one.realm, source: "192.0.2.1", ...more })
    ).pipe(Effect.tap((decision) =>
      Effect.sync(() => ok(isUsable(decision), `the relay cannot use the decision ${inspect(decision)}`))
    ))
  const challenged = Effect.gen(function*() {
    const decision = yield* ask()
    return decision._tag === "Challenge" ? decision.wwwAuthenticate : []
  })
  const granted = (decision: AuthDecision) => {
    strictEqual(decision._tag, "Granted")
    ok(decision._tag === "Granted")
    strictEqual(decision.username, one.username)
    strictEqual(decision.realm, one.realm)
  }
  return limited([
    {
      title: "asks who sends no credentials for some, which is no failure",
      run: Effect.gen(function*() {
        const decision = yield* ask()
        ok(decision._tag === "Challenge", `the decision is ${decision._tag}`)
        strictEqual(decision.failed, false)
        ok(decision.wwwAuthenticate.length > 0, "there is no WWW-Authenticate")
        for (const value of decision.wwwAuthenticate) ok(!/[\r\n]/.test(value), "a challenge of several lines")
      })
    },
    {
      title: "grants a session for right credentials, in the name of the user",
      run: Effect.gen(function*() {
        granted(yield* ask(one.right(yield* challenged, URI)))
      })
    },
    {
      title: "finds them behind those of others",
      run: Effect.gen(function*() {
        const right = one.right(yield* challenged, URI)
        granted(yield* ask("Unknown x=y", { furtherAuthorizations: [right] }))
      })
    },
    {
      title: "takes wrong ones for a failure, and lets in who has right ones then",
      run: Effect.gen(function*() {
        const wrong = one.wrong(yield* challenged, URI)
        const decision = yield* ask(wrong)
        ok(!inspect(decision).includes(wrong), "the decision has the credentials of the client, and may be logged")
        ok(decision._tag === "Challenge" || decision._tag === "Rejected", `the decision is ${decision._tag}`)
        if (decision._tag === "Challenge") strictEqual(decision.failed, true)
        granted(yield* ask(one.right(yield* challenged, URI)))
      })
    },
    {
      title: "lets nobody in by what strangers send, and dies of none of it",
      run: Effect.gen(function*() {
        const right = one.right(yield* challenged, URI)
        const texts = [...NASTY, ...NASTY.map((text) => `Digest ${text}`), right.slice(0, right.length / 2)]
        for (const text of texts) {
          const { _tag } = yield* ask(text, { furtherAuthorizations: NASTY })
          ok(_tag !== "Granted", `granted for ${text.slice(0, 40)}`)
        }
      })
    },
    {
      title: "goes on when somebody who has asked is gone",
      run: Effect.gen(function*() {
        const asking = yield* Effect.forkChild(ask(one.right(yield* challenged, URI)), { startImmediately: true })
        yield* Fiber.interrupt(asking)
        granted(yield* ask(one.right(yield* challenged, URI)))
      })
    },
    {
      title: "may be asked by many at once",
      run: Effect.gen(function*() {
        const all = yield* Effect.forEach(
          Array.from({ length: 32 }),
          () => Effect.flatMap(challenged, (values) => ask(one.right(values, URI))),
          { concurrency: 32 }
        )
        all.forEach(granted)
      })
    }
  ])
}
