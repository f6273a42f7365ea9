import type { Socket } from "node:net"
import { assert, describe, it } from "vitest"
import { AcceptQueue, MAX_QUEUED } from "../../src/transport/AcceptQueue.ts"

/** A socket of which it is known whether it is gone. */
const socket = () => {
  const made = { destroyed: false, destroy: () => void (made.destroyed = true) }
  return made as unknown as Socket
}

describe("sockets that wait for their turn", () => {
  it("R4976-9.3-06: are so many of one address at most, and so many in all; one goes of the address that has most, and addresses take turns", () => {
    const tasks: Array<() => void> = []
    const accepted: Array<Socket> = []
    let turnedAway = 0
    const arrivals = new AcceptQueue({
      most: () => MAX_QUEUED + 200,
      inSlices: (task) => void tasks.push(task),
      accepted: (raw) => void accepted.push(raw),
      turnedAway: () => void turnedAway++
    })
    const [early, late] = [socket(), socket()]
    const flood = Array.from({ length: 2 * MAX_QUEUED }, socket)
    arrivals.add(early, "192.0.2.1")
    for (const one of flood) arrivals.add(one, "2001:db8::1")
    arrivals.add(late, "192.0.2.2")
    const goneOf = (all: ReadonlyArray<Socket>) => all.filter(({ destroyed }) => destroyed)
    assert.deepStrictEqual(goneOf(flood), flood.slice(0, MAX_QUEUED))
    const crowd = Array.from({ length: 200 }, socket)
    for (const [i, one] of crowd.entries()) arrivals.add(one, `198.51.100.${i}`)
    assert.deepStrictEqual(goneOf(flood), flood.slice(0, MAX_QUEUED + 2))
    assert.deepStrictEqual([goneOf(crowd), turnedAway], [[], MAX_QUEUED + 2])
    for (const task of tasks) task()
    assert.deepStrictEqual(accepted, [early, flood[MAX_QUEUED + 2], late, ...crowd, ...flood.slice(MAX_QUEUED + 3)])
    // What was accepted counts no more.
    for (let i = 0; i < MAX_QUEUED; i++) arrivals.add(socket(), "2001:db8::1")
    assert.strictEqual(turnedAway, MAX_QUEUED + 2)
  })
})
