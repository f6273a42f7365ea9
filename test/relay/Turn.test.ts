import { assert, beforeEach, describe, it } from "vitest"
import { SHORT_FOR, Turn } from "../../src/relay/Turn.ts"

describe("Turn", () => {
  let tasks: Array<() => void>
  let turn: Turn
  let now: number
  const log: Array<string> = []
  /** What is deferred is run; how many turns that took, up to a bound. */
  const run = (bound = 1000): number => {
    let turns = 0
    for (; tasks.length > 0 && turns < bound; turns++) for (const task of tasks.splice(0)) task()
    return turns
  }
  const writer = (name: string) => ({ endTurn: () => void log.push(`${name} writes`) })
  const sender = (name: string, rounds: number) => {
    const one = {
      goOn: (): void => {
        log.push(name)
        turn.cost += 100
        if (--rounds > 0) turn.continues(one)
      }
    }
    turn.continues(one)
  }

  beforeEach(() => {
    log.length = 0
    tasks = []
    now = 0
    turn = new Turn(() => now, (task) => void tasks.push(task), 1000)
    turn.hurry()
  })

  it("writes once at the end of a turn, whatever it got", () => {
    turn.writesAtEnd(writer("a"))
    turn.writesAtEnd(writer("b"))
    assert.strictEqual(tasks.length, 1)
    assert.deepStrictEqual(log, [])
    assert.strictEqual(run(), 1)
    assert.deepStrictEqual(log, ["a writes", "b writes"])
  })

  it("writes before the end when many have output, since what they need grows cold", () => {
    for (let i = 0; i < 31; i++) turn.writesAtEnd(writer(String(i)))
    turn.readEnds()
    assert.strictEqual(log.length, 0)
    turn.writesAtEnd(writer("31"))
    turn.readEnds()
    assert.strictEqual(log.length, 32)
  })

  it("writes output for connections that brought little before the others go on", () => {
    sender("endless", 3)
    turn.writesAtEnd(writer("quiet"))
    run()
    assert.deepStrictEqual(log, ["quiet writes", "endless", "endless", "endless"])
  })

  it("lets those who want more go on in the order in which they came, until the turn has cost what it should", () => {
    for (let i = 0; i < 100; i++) sender(`sender ${i}`, 2)
    run(1)
    assert.strictEqual(log.length, 10)
    assert.strictEqual(run(), 200 / 10 - 1)
    for (let i = 0; i < 100; i++) assert.strictEqual(log.filter((name) => name === `sender ${i}`).length, 2)
    assert.strictEqual(log.indexOf("sender 99"), 99, "nobody has a second turn before all had one")
  })

  it("gives those who wait as much as others took in this turn: a crowd that is always busy shuts nobody out", () => {
    for (let i = 0; i < 100; i++) sender(`stranger ${i}`, 1)
    turn.cost += 5000
    run(1)
    assert.strictEqual(log.length, 50)
  })

  it("continues connections in probation beside all others: nobody waits behind thousands of logins, nor they behind a crowd", () => {
    for (let i = 0; i < 1000; i++) {
      turn.continues({ goOn: () => void (log.push("login"), turn.cost += 100) }, 0, "probation")
    }
    sender("session", 3)
    for (const turns of [1, 2, 3]) {
      run(1)
      assert.strictEqual(log.filter((name) => name === "session").length, turns)
    }
    for (let i = 0; i < 1000; i++) sender("busy", 2)
    log.length = 0
    run(1)
    assert.deepStrictEqual([log.filter((name) => name === "busy").length, log.length], [5, 10])
  })

  it("continues nobody twice in a turn: what joins another line while it goes on waits for a later one", () => {
    let rounds = 0
    const mover = { goOn: () => void (++rounds < 9 && turn.continues(mover, 0, rounds % 2 === 0 ? "little" : "much")) }
    const other = { goOn: () => turn.continues(other, 0, "much") }
    turn.continues(mover)
    turn.continues(other, 0, "much")
    run(8)
    assert.strictEqual(rounds, 8)
  })

  it("has those who never stop be no reason to give them more: a turn is as long with many of them as with a few", () => {
    for (let i = 0; i < 100; i++) {
      // As a connection does that has used up its share with what was just read.
      turn.cost += 200
      turn.continues({ goOn: () => void (log.push("goes on"), turn.cost += 200) }, 200)
    }
    run(1)
    assert.strictEqual(log.length, 5)
  })

  it("divides a turn among those who want more, but never into more than five shares", () => {
    const shares = new Set<number>()
    for (const senders of [1, 2, 5, 50]) {
      for (let i = 0; i < senders; i++) turn.continues({ goOn: () => void shares.add(turn.share) })
      run()
    }
    assert.deepStrictEqual([...shares], [1000, 500, 200])
  })

  it("makes turns long while nobody has come for a second who brings little, and short at once when somebody does", () => {
    const wentOn = (): number => {
      for (let i = 0; i < 1000; i++) turn.continues({ goOn: () => void (log.push("goes on"), turn.cost += 100) })
      log.length = 0
      run(1)
      const { length } = log
      run()
      return length
    }
    now = SHORT_FOR - 1
    turn.tick()
    assert.strictEqual(wentOn(), 10)
    now = SHORT_FOR
    wentOn()
    assert.strictEqual(wentOn(), 160)
    assert.strictEqual(turn.share, 16_000)
    turn.cost += 1000
    assert.isFalse(turn.long)
    turn.hurry()
    assert.isTrue(turn.long)
    assert.strictEqual(wentOn(), 10)
  })

  it("leaves only the least share to a connection that comes when a turn is long already", () => {
    assert.strictEqual(turn.share, 1000)
    turn.cost += 1000
    assert.strictEqual(turn.share, 200)
    turn.writesAtEnd(writer("a"))
    run()
    assert.strictEqual(turn.share, 1000, "the next turn")
  })

  it("goes on whatever throws: a defect costs only whose turn it is", () => {
    const defect = () => {
      throw new Error("a defect")
    }
    const throwing = (all = 10): number => {
      let thrown = 0
      for (let i = 0; i < all; i++) {
        for (const task of tasks.splice(0)) {
          try {
            task()
          } catch {
            thrown++
          }
        }
      }
      return thrown
    }
    sender("before", 2)
    turn.continues({ goOn: defect })
    turn.throwsLater(new Error("another defect"))
    sender("behind", 2)
    turn.writesAtEnd(writer("a"))
    turn.writesAtEnd({ endTurn: defect })
    turn.writesAtEnd(writer("b"))
    assert.strictEqual(throwing(), 3)
    assert.deepStrictEqual(log.toSorted(), ["a writes", "b writes", "before", "before", "behind", "behind"])
    turn.writesAtEnd(writer("c"))
    assert.strictEqual(throwing(), 0)
    assert.strictEqual(log.at(-1), "c writes")
  })
})
