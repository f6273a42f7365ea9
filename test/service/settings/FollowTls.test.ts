import { assert, it } from "@effect/vitest"
import * as ByteSize from "effect/ByteSize"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Logger from "effect/Logger"
import * as PlatformError from "effect/PlatformError"
import * as Redacted from "effect/Redacted"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as TestClock from "effect/testing/TestClock"
import { parseUri } from "../../../src/protocol/Uri.ts"
import { followTls } from "../../../src/service/settings/FollowTls.ts"
import { validitiesOf, type Validity } from "../../../src/service/settings/Validity.ts"
import { ca, expired, issueFor, type KeyPair, localhost, relay, selfSigned } from "../../support/pki.ts"
import { withTimeOfDay } from "../../support/timeOfDay.ts"

/** Files that can be changed, and what is logged. */
const world = () => {
  const files: Record<string, string | undefined> = {}
  const read = (path: string) => {
    const text = files[path]
    const gone = { _tag: "NotFound", module: "FileSystem", method: "readFileString", pathOrDescriptor: path } as const
    return text === undefined ? Effect.fail(PlatformError.systemError(gone)) : Effect.succeed(text)
  }
  const disk = FileSystem.layerNoop({
    readFileString: read,
    stat: (path) =>
      Effect.map(read(path), ({ length }) => ({ type: "File", size: ByteSize.bytes(length) }) as FileSystem.File.Info)
  })
  const log: Array<string> = []
  const logger = Logger.make<unknown, void>((entry) => void log.push(Logger.formatLogFmt.log(entry)))
  return { files, log, layers: [disk, Logger.layer([logger])] as const }
}

/** As if half of the day were over for which the certificates of these tests are valid. */
const HALF_DAY = 12 * 3_600_000

it.effect("R4976-9.2-30: renewed files are used, halves of a renewal and broken files are not", () =>
  Effect.gen(function*() {
    const { files, layers, log } = world()
    Object.assign(files, { "/cert": localhost.cert, "/key": Redacted.value(localhost.key), "/ca": ca })
    yield* TestClock.setTime(Date.now() - HALF_DAY)
    yield* Effect.gen(function*() {
      const { tls } = yield* followTls({
        files: { cert: ["/cert"], key: ["/key"], ca: "/ca" },
        uris: [parseUri("msrps://localhost:2856;tcp")!],
        first: { ...localhost, ca }
      })
      const shown = Effect.map(SubscriptionRef.get(tls), ({ cert, key }) => [cert, key && Redacted.value(key)])
      const old = [localhost.cert, Redacted.value(localhost.key)]
      const step = TestClock.adjust("5 seconds")

      yield* TestClock.adjust("4999 millis")
      const asIs = { ...files }
      Object.assign(files, { "/cert": relay.cert, "/key": Redacted.value(relay.key) })
      assert.deepStrictEqual(yield* shown, old)
      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual(yield* shown, [relay.cert, Redacted.value(relay.key)])
      Object.assign(files, asIs)
      yield* step
      assert.deepStrictEqual(yield* shown, old)
      log.length = 0
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
        assert.include(log.at(-1), "/ca contains an invalid certificate, number 2")
      }
      files["/ca"] = `${ca}\n${selfSigned.cert}`
      files["/cert"] = `${relay.cert}\n${ca.slice(0, 200)}`
      yield* step
      assert.include(log.at(-1), "/cert contains an invalid certificate, number 2")
      files["/cert"] = `${relay.cert}\n${ca}`
      yield* step
      assert.deepStrictEqual(yield* shown, [files["/cert"], Redacted.value(relay.key)])
      assert.strictEqual((yield* SubscriptionRef.get(tls)).ca, files["/ca"])
      assert.notInclude(log.join(), "PRIVATE")
    }).pipe(Effect.scoped, Effect.provide([...layers]))
  }))

it.effect("R4976-9.2-30: one that is not valid takes no place of one that is, and whoever has one is told each day", () =>
  Effect.gen(function*() {
    const { files, layers, log } = world()
    const use = (path: string, { cert, key }: KeyPair) => {
      files[`${path}.crt`] = cert
      files[`${path}.key`] = Redacted.value(key)
    }
    const step = TestClock.adjust("10 minutes")
    const now = Date.now()
    // The notice of both has begun.
    yield* TestClock.setTime(now - 2 * 3_600_000)
    yield* Effect.gen(function*() {
      use("/one", localhost)
      use("/two", relay)
      const { tls } = yield* followTls({
        files: { cert: ["/one.crt", "/two.crt"], key: ["/one.key", "/two.key"], ca: undefined },
        uris: [],
        first: { ...localhost, others: [relay] },
        checkInterval: "10 minutes"
      })
      const shown = Effect.map(
        SubscriptionRef.get(tls),
        ({ cert, others }) => [cert, ...(others ?? []).map((other) => other.cert)]
      )
      const before = [localhost.cert, relay.cert]

      // It ends two hours before the others do.
      yield* TestClock.setTime(now - 1000)
      use("/two", expired)
      yield* step
      yield* step
      assert.deepStrictEqual(yield* shown, before)
      assert.lengthOf(log, 1)
      assert.match(log[0]!, /keeping those from before: .*two.crt expired on /)
      log.length = 0

      const later = yield* Effect.promise(() => issueFor("127.0.0.1", { hoursFromNow: 48 }))
      use("/two", later)
      yield* step
      assert.deepStrictEqual(yield* shown, before)
      assert.match(log[0]!, /two.crt is valid only from /)
      log.length = 0
      // When its time comes it is used; the first one has expired then, and any will do in its place.
      yield* TestClock.setTime(now + 25 * 3_600_000)
      yield* step
      assert.deepStrictEqual(yield* shown, [localhost.cert, later.cert])
      use("/one", expired)
      yield* step
      assert.deepStrictEqual(yield* shown, [expired.cert, later.cert])
      log.length = 0
      for (let day = 0; day < 3; day++) yield* TestClock.adjust("1 day")
      assert.lengthOf(log.filter((line) => line.includes("one.crt expired")), 3)
      assert.notInclude(log.join(), "PRIVATE")
    }).pipe(Effect.scoped, Effect.provide([...layers]))
  }))

it.effect("R4976-9.2-30: who has one that is not valid is told each day, where the time of day is set back, too", () =>
  withTimeOfDay((set) => {
    const { files, layers, log } = world()
    Object.assign(files, { "/cert": expired.cert, "/key": Redacted.value(expired.key) })
    return Effect.gen(function*() {
      yield* TestClock.setTime(Date.now())
      yield* followTls({
        files: { cert: ["/cert"], key: ["/key"], ca: undefined },
        uris: [],
        first: expired,
        checkInterval: "10 minutes"
      })
      set(-5 * 3_600_000)
      for (let day = 1; day <= 2; day++) {
        yield* TestClock.adjust("1 day")
        assert.lengthOf(log.filter((line) => line.includes("/cert expired")), day)
      }
    }).pipe(Effect.scoped, Effect.provide([...layers]))
  }))

it.effect("R4976-9.2-30: an operator is told when the notice of a certificate begins, and when it ends, not a day later", () =>
  Effect.gen(function*() {
    const { files, layers, log } = world()
    Object.assign(files, { "/cert": localhost.cert, "/key": Redacted.value(localhost.key) })
    const [{ from, to }] = validitiesOf(localhost) as [Validity]
    yield* TestClock.setTime(from)
    yield* Effect.gen(function*() {
      yield* followTls({
        files: { cert: ["/cert"], key: ["/key"], ca: undefined },
        uris: [],
        first: localhost,
        checkInterval: "10 minutes"
      })
      const said = () => log.splice(0).map((line) => /\/cert (expires|expired)/.exec(line)?.[1])
      yield* TestClock.adjust((to - from) / 3)
      assert.deepStrictEqual(said(), [])
      yield* TestClock.adjust((to - from) / 3 + 600_000)
      assert.deepStrictEqual(said(), ["expires"])
      yield* TestClock.adjust((to - from) / 3)
      assert.deepStrictEqual(said(), ["expired"])
      yield* TestClock.adjust("23 hours")
      assert.deepStrictEqual(said(), [])
      yield* TestClock.adjust("1 hour")
      assert.deepStrictEqual(said(), ["expired"])
    }).pipe(Effect.scoped, Effect.provide([...layers]))
  }))
