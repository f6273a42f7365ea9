import { assert, it } from "@effect/vitest"
import { type Trouble, troubles } from "../../../src/admin/status/Readings.ts"
import { Window } from "../../../src/admin/status/Window.ts"

const moment = { time: 0, sessions: 0, connections: 0, loopDelay: 0, backendDelay: null }

const reading = (lost: number) => ({
  messagesIn: 0,
  messagesOut: 0,
  octetsIn: 0,
  octetsOut: 0,
  trouble: { ...Object.fromEntries(troubles.map((kind) => [kind, 0])) as Record<Trouble, number>, lost }
})

it("of a problem all counts are lately in a relay that is younger than the window, later those since its oldest sample", () => {
  const window = new Window(2)
  const lost = () => window.trouble().find(({ kind }) => kind === "lost")
  for (const [at, count, lately] of [[0, 3, 3], [1000, 5, 2], [2000, 9, 4]] as const) {
    window.add(at, moment, reading(count))
    assert.deepStrictEqual(lost(), { kind: "lost", total: count, lately })
  }
})
