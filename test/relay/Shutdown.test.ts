/** Which steps the end of a relay waits for, with hops and sessions of which only the numbers matter. */
import { assert, beforeEach, describe, it } from "vitest"
import { Conditions } from "../../src/relay/Conditions.ts"
import type { Hop } from "../../src/relay/Hop.ts"
import { defaultRelayLimits } from "../../src/relay/Limits.ts"
import { LongTasks } from "../../src/relay/LongTasks.ts"
import type { Admission } from "../../src/relay/rules/Admission.ts"
import type { RelayOwners } from "../../src/relay/rules/RelayOwners.ts"
import type { Phase, Shared } from "../../src/relay/Shared.ts"
import { Shutdown } from "../../src/relay/Shutdown.ts"
import { Totals } from "../../src/relay/Totals.ts"
import { Turn } from "../../src/relay/Turn.ts"

describe("the end of a relay", () => {
  let deferred: Array<() => void>
  let told: Array<string>
  let totals: Totals
  let tasks: LongTasks
  let conditions: Conditions
  let hops: Set<Hop>
  let sessions: number
  let shutdown: Shutdown

  beforeEach(() => {
    deferred = []
    told = []
    sessions = 0
    hops = new Set()
    totals = new Totals()
    const turn = new Turn(() => 0, (task) => void deferred.push(task), defaultRelayLimits.turn)
    tasks = new LongTasks(turn)
    conditions = new Conditions(turn)
    const phase: Phase = "serving"
    shutdown = new Shutdown(
      { phase, conditions, tasks, totals } as unknown as Shared,
      hops,
      { size: () => sessions },
      { closeIdle: () => {} } as unknown as Admission,
      { stop: () => told.push("waits for no other relay") } as unknown as RelayOwners
    )
  })

  /** What was deferred runs, and what that defers. */
  const turns = (): void => {
    for (let i = 0; deferred.length > 0 && i < 1000; i++) for (const task of deferred.splice(0)) task()
  }
  /** A connection, or none yet, with so many octets of output, and one step of a loss to report. */
  const hop = (waitingOctets: number, connected = true) => {
    const outbox = { waitingOctets }
    const outbound = {
      outbox,
      transactions: { isAwaited: false },
      *givesUp() {
        told.push("a loss")
        yield
      }
    }
    const connection = connected ? {} : undefined
    const one = { connection, outbound, finish: () => told.push("ended") } as unknown as Hop
    hops.add(one)
    return { one, outbox }
  }

  it("waits for no other relay to come again, from when it stops on", () => {
    shutdown.stop()
    assert.deepStrictEqual(told, ["waits for no other relay"])
    assert.strictEqual(shutdown.phase, "stopping")
  })

  it("a relay is drained when the system has taken its last octets, not when the last answer has come", () => {
    assert.isTrue(shutdown.drained)
    totals.queuedOctets = 1
    assert.isTrue(shutdown.answered)
    assert.isFalse(shutdown.drained)
    totals.queuedOctets = 0
    sessions = 1
    assert.isFalse(shutdown.drained)
  })

  it("R4976-9.3-09: is not over while losses are still to be reported, although no connection is left", () => {
    assert.isTrue(shutdown.empty)
    tasks.steps(Array.from({ length: 1000 }, () => {}))
    assert.isFalse(shutdown.empty)
    turns()
    assert.isTrue(shutdown.empty)
  })

  it("R4976-9.3-09: reports all losses, then ends all connections, and tells who waits for that", () => {
    hop(0)
    hop(0)
    let isSettled = false
    conditions.until(() => shutdown.settled, () => {
      isSettled = true
    })
    turns()
    assert.isFalse(isSettled)
    shutdown.end()
    turns()
    assert.deepStrictEqual(told, ["a loss", "a loss", "ended", "ended"])
    assert.isTrue(isSettled)
  })

  it("is settled when the system has taken all output; what waits for a connection that was never made is for nobody", () => {
    const { outbox } = hop(1)
    hop(1, false)
    shutdown.end()
    turns()
    assert.isFalse(shutdown.settled)
    outbox.waitingOctets = 0
    assert.isTrue(shutdown.settled)
  })
})
