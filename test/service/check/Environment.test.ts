/** The environment of the check is that of the service. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Command from "effect/cli/Command"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import { checkCommand } from "../../../src/service/check/Check.ts"
import { file } from "./setup.ts"

const OTHER = "CHECK_TEST_OTHER"

describe("msrp-relay check", () => {
  it.effect("puts what is not for the relay from the file of variables into the environment, as the service does", () =>
    Effect.gen(function*() {
      // With settings that cannot be used nothing else is looked at.
      const named = file(`${OTHER}=told\nMSRP_HASH_SIZE=x\n`)
      yield* Effect.addFinalizer(() => Effect.sync(() => delete process.env[OTHER]))
      const provider = ConfigProvider.fromEnvRecord({ MSRP_ENV_FILE: named })
      yield* Effect.flip(Command.runWith(checkCommand, { version: "0" })(["--json"])).pipe(
        Effect.provideService(ConfigProvider.ConfigProvider, provider)
      )
      assert.strictEqual(process.env[OTHER], "told")
    }).pipe(Effect.provide(NodeServices.layer)))
})
