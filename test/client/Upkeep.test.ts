/** When it is of no use to go on. */
import { assert, it } from "vitest"
import { isFinal } from "../../src/client/Upkeep.ts"

it("a login that was answered 401 or 403 is not tried again, any other one is", () => {
  const statuses = [undefined, 200, 400, 401, 403, 404, 408, 413, 415, 423, 424, 425, 428, 481, 501, 506]
  assert.deepStrictEqual(statuses.filter(isFinal), [401, 403])
})
