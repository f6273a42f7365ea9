import { assert, it } from "@effect/vitest"
import { suggestion } from "../../../src/service/settings/Suggest.ts"

it("a misspelt variable is taken for the nearest one, and another word for none", () => {
  assert.strictEqual(suggestion("MSRP_LISTN"), "MSRP_LISTEN")
  assert.strictEqual(suggestion("msrp_lisetn"), "MSRP_LISTEN")
  assert.isUndefined(suggestion("MSRP_XYZ"))
})
