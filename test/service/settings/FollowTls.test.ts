import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Logger from "effect/Logger"
import * as PlatformError from "effect/PlatformError"
import * as Redacted from "effect/Redacted"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as TestClock from "effect/testing/TestClock"
import { parseUri } from "../../../src/protocol/Uri.ts"
import { followTls } from "../../../src/service/settings/FollowTls.ts"
import { ca, localhost, relay, selfSigned } from "../../support/pki.ts"

it.effect("R4976-9.2-30: renewed files are used, halves of a renewal and broken files are not", () =>
  Effect.gen(function*() {
    const files: Record<string, string | undefined> = {
      "/cert": localhost.cert,
      "/key": Redacted.value(localhost.key),
      "/ca": ca
    }
    const disk = FileSystem.layerNoop({
      readFileString: (path) => {
        const text = files[path]
        const gone = {
          _tag: "NotFound",
          module: "FileSystem",
          method: "readFileString",
          pathOrDescriptor: path
        } as const
        return text === undefined ? Effect.fail(PlatformError.systemError(gone)) : Effect.succeed(text)
      }
    })
    const log: Array<string> = []
    const logger = Logger.make<unknown, void>((entry) => void log.push(Logger.formatLogFmt.log(entry)))
    yield* TestClock.setTime(Date.now())
    yield* Effect.gen(function*() {
      const tls = yield* followTls({
        files: { cert: ["/cert"], key: ["/key"], ca: "/ca" },
        uris: [parseUri("msrps://localhost:2856;tcp")!],
        first: { ...localhost, ca }
      })
      const shown = Effect.map(SubscriptionRef.get(tls), ({ cert, key }) => [cert, key && Redacted.value(key)])
      const old = [localhost.cert, Redacted.value(localhost.key)]
      const step = TestClock.adjust("5 seconds")

      yield* step
      assert.deepStrictEqual([yield* shown, log], [old, []])
      files["/cert"] = relay.cert
      yield* step
      yield* step
      assert.deepStrictEqual(yield* shown, old)
      assert.lengthOf(log, 1)
      assert.include(log[0], "/key does not belong to the certificate")
      files["/key"] = Redacted.value(relay.key)
      yield* step
      assert.deepStrictEqual(yield* shown, [relay.cert, Redacted.value(relay.key)])
      // A name of its own that no client will accept is told of.
      assert.include(log[2], "not for localhost")
      files["/cert"] = undefined
      yield* step
      assert.deepStrictEqual(yield* shown, [relay.cert, Redacted.value(relay.key)])
      assert.include(log[3], "/cert there is no such file")
      // A file with several is not used before all of them are there: half of the roots are not those to trust.
      files["/cert"] = relay.cert
      for (const half of [relay.cert.slice(0, 200), "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]) {
        files["/ca"] = `${ca}\n${half}${selfSigned.cert}`
        yield* step
        assert.strictEqual((yield* SubscriptionRef.get(tls)).ca, ca)
        assert.include(log.at(-1), "/ca has a broken certificate in it, number 2")
      }
      files["/ca"] = `${ca}\n${selfSigned.cert}`
      files["/cert"] = `${relay.cert}\n${ca.slice(0, 200)}`
      yield* step
      assert.include(log.at(-1), "/cert has a broken certificate in it, number 2")
      files["/cert"] = `${relay.cert}\n${ca}`
      yield* step
      assert.deepStrictEqual(yield* shown, [files["/cert"], Redacted.value(relay.key)])
      assert.strictEqual((yield* SubscriptionRef.get(tls)).ca, files["/ca"])
      assert.notInclude(log.join(), "PRIVATE")
    }).pipe(Effect.scoped, Effect.provide([disk, Logger.layer([logger])]))
  }))
