/** The service as a layer. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import { MetricRegistry } from "effect/Metric"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Metrics } from "../../src/Metrics.ts"
import { Relay } from "../../src/Relay.ts"
import { layerWith } from "../../src/service/Service.ts"
import { Settings } from "../../src/service/Settings.ts"
import { version } from "../../src/service/Version.ts"
import { freePort } from "../support/service.ts"

it.effect("ends in order when its start is given up once the relay serves: clients may be there by then", () =>
  Effect.gen(function*() {
    const settings = yield* Settings.parse({
      MSRP_URIS: `msrp://127.0.0.1:${yield* Effect.promise(freePort)};tcp`,
      MSRP_USERS: "alice:wonderland",
      MSRP_DRAIN_TIMEOUT: "0",
      // There is no such directory, which is seen when the relay listens already.
      MSRP_ADMIN: join(tmpdir(), `msrp-relay-none-${process.pid}`, "admin.sock")
    })
    const phases: Array<string> = []
    const end = Effect.andThen(
      Effect.flatMap(Relay, ({ phase }) => Effect.sync(() => void phases.push(phase()))),
      Effect.flatMap(Relay, (relay) => relay.end)
    )
    assert.isTrue(Exit.isFailure(yield* Effect.exit(Effect.scoped(Layer.build(layerWith(settings, end))))))
    assert.deepStrictEqual(phases, ["serving"])
  }).pipe(Effect.provide(NodeFileSystem.layer)))

it.effect("whatever waits there leaves a moment to what came in while the process was stopped", () =>
  Effect.gen(function*() {
    const settings = yield* Settings.parse({
      MSRP_URIS: `msrp://127.0.0.1:${yield* Effect.promise(freePort)};tcp`,
      MSRP_USERS: "alice:wonderland",
      MSRP_DRAIN_TIMEOUT: "0"
    })
    const clocks = new Set<Clock.Clock>()
    const end = Effect.andThen(
      Effect.map(Clock.Clock, (one) => void clocks.add(one)),
      Effect.flatMap(Relay, (relay) => relay.end)
    )
    yield* Effect.scoped(Layer.build(layerWith(settings, end)))
    assert.deepStrictEqual([clocks.size, clocks.has(yield* Clock.Clock)], [1, false])
  }).pipe(Effect.provide(NodeFileSystem.layer)))

it.effect("publishes its version, that of Node.js, and whether its backends of users work", () =>
  Effect.gen(function*() {
    const settings = yield* Settings.parse({
      MSRP_URIS: `msrp://127.0.0.1:${yield* Effect.promise(freePort)};tcp`,
      MSRP_USERS: "alice:wonderland",
      MSRP_DRAIN_TIMEOUT: "0"
    })
    const context = yield* Layer.build(layerWith(settings, Effect.flatMap(Relay, (relay) => relay.end)))
    const page = yield* Context.get(context, Metrics).prometheus
    const labels = /^msrp_relay_build_info\{(.*)\} 1$/m.exec(page)![1]!.split(",")
    assert.include(page, "msrp_relay_users_backend_up{backend=\"memory\"} 1\n")
    assert.sameMembers(labels, [`version="${version}"`, `node="${process.versions.node}"`])
  }).pipe(Effect.scoped, Effect.provideService(MetricRegistry, new Map()), Effect.provide(NodeFileSystem.layer)))
