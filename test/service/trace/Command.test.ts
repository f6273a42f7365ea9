/** `msrp-relay trace` against the API itself. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, it } from "@effect/vitest"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Stream from "effect/Stream"
import * as TestConsole from "effect/testing/TestConsole"
import * as Admin from "../../../src/Admin.ts"
import { traceCommand } from "../../../src/service/trace/Command.ts"
import { fakeParts } from "../../support/admin.ts"

it.effect("says of a user that he has no session, since his name may be mistyped", () =>
  Effect.gen(function*() {
    const path = `${yield* (yield* FileSystem.FileSystem).makeTempDirectoryScoped()}/admin.sock`
    const parts = { ...fakeParts({ count: 10 }), trace: () => Effect.succeed(Stream.empty) }
    yield* Layer.build(
      Admin.layer({ _tag: "Unix", path }).pipe(
        Layer.provide([Layer.succeed(Admin.AdminParts, parts), Admin.AdminToken.layerNone, Logger.layer([])])
      )
    )
    const told = Effect.fnUntraced(function*(...args: ReadonlyArray<string>) {
      const before = (yield* TestConsole.errorLines).length
      yield* Command.runWith(traceCommand, { version: "0" })(["--admin", path, ...args])
      return (yield* TestConsole.errorLines).slice(before)
    })
    const nobody = ["usr8 has no session now; what passes when he logs in will be shown"]
    assert.deepStrictEqual(yield* told("--user", "usr8"), nobody)
    assert.match(
      (yield* told("--user", "user8@example.com")).join(),
      /now \(names are without the realm: user8\?\); what/
    )
    assert.deepStrictEqual(yield* told("--user", "user8"), [])
    assert.deepStrictEqual(yield* told(), [])
  }).pipe(Effect.provide(NodeServices.layer)))
