import { assert, beforeEach, describe, it } from "vitest"
import type { Reading } from "../../../src/relay/inbound/Reading.ts"
import { TurnShare } from "../../../src/relay/inbound/TurnShare.ts"
import { AUTH, FRAME, READ, ROUTE, SHORT_FOR, Turn } from "../../../src/relay/Turn.ts"

const LIMIT = 100_000

describe("TurnShare", () => {
  let tasks: Array<() => void>
  let turn: Turn
  let now: number
  const nextTurn = (): void => {
    for (const task of tasks.splice(0)) task()
  }

  /**
   * A connection whose peer never stops: it reads in each turn in which it may, `size` octets at a time, at most as often as it
   * has so many at hand.
   */
  const sender = (size: number, often = Infinity) => {
    const sender = {
      size,
      reads: true,
      /** What it had in each turn, and reads that had to be kept in part. */
      had: [] as Array<number>,
      keptInPart: 0,
      /** Reads as long as it may. */
      read: (): void => {
        let had = 0
        for (let i = 0; i < often && sender.reads; i++) {
          let octets = sender.size
          share.readBegins(octets)
          for (; octets > 0 && sender.reads; octets -= 1000) share.goesOn(1000)
          share.readEnds(octets)
          if (octets > 0) sender.keptInPart++
          had += sender.size - octets
        }
        if (had > 0) sender.had.push(had)
      }
    }
    const reading = { stop: () => sender.reads = false, go: () => sender.reads = true }
    const share = new TurnShare(turn, reading as unknown as Reading, { active: false })
    return sender
  }

  beforeEach(() => {
    tasks = []
    now = 0
    turn = new Turn(() => now, (task) => void tasks.push(task), LIMIT)
    turn.hurry()
  })

  const turns = (senders: ReadonlyArray<ReturnType<typeof sender>>, count: number): Array<number> => {
    const costs: Array<number> = []
    for (let i = 0; i < count; i++) {
      const before = senders.map(({ had }) => had.length)
      for (const one of senders) one.read()
      costs.push(senders.reduce((sum, { had }, k) => sum + (had.length > before[k]! ? had.at(-1)! : 0), 0))
      nextTurn()
    }
    return costs
  }

  it("gives a connection that has waited more and more of a turn, up to all of it, so that it reads much at a time", () => {
    const senders = Array.from({ length: 20 }, () => sender(40_000))
    turns(senders, 400)
    for (const { had } of senders) {
      assert.isAtLeast(had.length, 10)
      assert.deepStrictEqual(had.slice(-3), [80_000, 80_000, 80_000])
    }
  })

  it("lets no more go on in a turn than what they probably read is worth", () => {
    const senders = Array.from({ length: 50 }, () => sender(40_000))
    const costs = turns(senders, 400)
    assert.isAtMost(Math.max(...costs.slice(150)), 2 * LIMIT)
  })

  it("stops reading when a further read would have to be kept in part", () => {
    const senders = Array.from({ length: 5 }, () => sender(30_000))
    turns(senders, 100)
    const kept = senders.map(({ keptInPart }) => keptInPart)
    turns(senders, 100)
    assert.deepStrictEqual(senders.map(({ keptInPart }) => keptInPart), kept)
    for (const { had } of senders) assert.strictEqual(had.at(-1), 90_000)
  })

  it("lets no more go on than what they have kept is worth", () => {
    let wentOn = 0
    turn.writesAtEnd({ endTurn: () => {} })
    nextTurn()
    for (let i = 0; i < 20; i++) {
      const share = new TurnShare(turn, { stop: () => {}, go: () => void wentOn++ } as unknown as Reading, {
        active: false
      })
      share.wait(50_000)
      share.readBegins(50_000)
      share.readEnds(50_000)
    }
    nextTurn()
    assert.strictEqual(wentOn, 2)
  })

  it.for(
    [
      ["have much at hand", Infinity],
      ["have less than a turn at hand each time", 1]
    ] as const
  )("lets a connection that brings a few messages at once wait behind none that never stop, and %s", ([, often]) => {
    const senders = Array.from({ length: 200 }, () => sender(40_000, often))
    turns(senders, 2000)
    turn.hurry()
    for (const requests of [10, 40]) {
      let left = requests
      const handle = (): void => {
        for (; left > 0 && !share.waits; left--) share.begins(true, 400)
      }
      const share: TurnShare = new TurnShare(turn, { stop: () => {}, go: handle } as unknown as Reading, {
        active: false
      })
      turn.cost += LIMIT
      handle()
      assert.isAbove(left, 0, "it has more than its share")
      turns(senders, 6)
      assert.strictEqual(left, 0)
    }
  })

  it("lets one that has proved itself wait behind no login", () => {
    const log: Array<string> = []
    const waiting = (name: string, active: boolean) => {
      const reading = { stop: () => {}, go: () => void (log.push(name), turn.cost += LIMIT / 10) }
      new TurnShare(turn, reading as unknown as Reading, { active }).wait()
    }
    for (let i = 0; i < 1000; i++) waiting("login", true)
    waiting("session", false)
    nextTurn()
    assert.deepStrictEqual([log.includes("session"), log.includes("login")], [true, true])
  })

  it("forgets after a turn without octets that a connection waited", () => {
    const one = sender(200_000)
    turns([one], 5)
    assert.strictEqual(one.had.at(-1), LIMIT)
    nextTurn()
    nextTurn()
    turn.writesAtEnd({ endTurn: () => {} })
    nextTurn()
    turn.cost += LIMIT
    one.read()
    assert.strictEqual(one.had.at(-1), 17_000, "what everybody may have when a turn is long")
  })

  describe("the cost of a turn", () => {
    /** A connection that does so when it goes on; the lines in which it has waited. */
    const connection = (goes: (share: TurnShare) => void = () => {}) => {
      const lines: Array<string | undefined> = []
      turn.continues = (_, __, line) => void lines.push(line)
      let went = 0
      const go = (): void => {
        went++
        goes(share)
      }
      const share: TurnShare = new TurnShare(turn, { stop: () => {}, go } as unknown as Reading, { active: false })
      return { share, lines, went: () => went }
    }

    it("is that of each read, of its frames, and of octets outside of frames but for those that are kept", () => {
      const { lines, share } = connection()
      share.readBegins(1000)
      share.begins(true, 300)
      share.goesOn(200)
      share.readEnds(100)
      assert.strictEqual(turn.cost, READ + FRAME + 1000 - 100)
      assert.deepStrictEqual(lines, [], "a little need not wait")
      // What is kept may have been paid for.
      share.readBegins(200)
      share.goesOn(200)
      share.readEnds(150)
      assert.strictEqual(turn.cost, 2 * READ + FRAME + 900 + 200)
    })

    it("is one connection's while nobody else needs it", () => {
      const { lines, share } = connection()
      share.goesOn(LIMIT - 1)
      assert.deepStrictEqual(lines, [])
      share.goesOn(1)
      assert.deepStrictEqual(lines, ["much"])
    })

    it("has what a connection is expected to read when it goes on, or what it has read already if that is more", () => {
      for (const [octets, cost] of [[5000, 20_000], [30_000, 30_000]] as const) {
        const { share } = connection((one) => one.goesOn(octets))
        share.wait(20_000)
        turn.cost = 0
        share.goOn()
        assert.strictEqual(turn.cost, cost)
      }
      // One that waits again reads nothing.
      const { share } = connection((one) => one.wait(100))
      share.wait(20_000)
      turn.cost = 0
      share.goOn()
      assert.strictEqual(turn.cost, 0)
    })

    it("is at least the smallest share of a connection that goes on, however little it had", () => {
      const { lines, share } = connection()
      share.wait(1)
      share.goOn()
      share.goesOn(turn.least - 1)
      assert.lengthOf(lines, 1)
      share.goesOn(1)
      assert.lengthOf(lines, 2)
    })

    it("is much of a connection that has had a whole turn in all, until it has gone without a wait for a second", () => {
      const { lines, share } = connection()
      const waits = (octets: number, after: number): void => {
        now += after
        turn.tick()
        share.wait(octets)
        share.goOn()
      }
      waits(LIMIT / 2, 0)
      waits(LIMIT / 2 - 1, SHORT_FOR - 1)
      waits(1, SHORT_FOR - 1)
      waits(0, SHORT_FOR - 1)
      waits(0, SHORT_FOR)
      assert.deepStrictEqual(lines, ["little", "little", "much", "much", "little"])
    })

    it("is not divided with a connection that is gone: it goes on at once, once, and waits no more", () => {
      const { lines, share, went } = connection((one) => one.wait(1000))
      share.wait(1000)
      share.end()
      assert.deepStrictEqual([went(), lines.length, share.waits], [1, 1, false])
      // It still stands in its line.
      share.goOn()
      assert.strictEqual(went(), 1)
    })
  })

  describe("a connection that needs short turns", () => {
    const connection = () => {
      const share = new TurnShare(turn, { stop: () => {}, go: () => {} } as unknown as Reading, { active: false })
      return (frames: number, request: boolean, needs = 0): void => {
        share.readBegins(100 * frames)
        for (let i = 0; i < frames; i++) share.begins(request, 100)
        share.costsExtra(needs)
        share.readEnds(0)
      }
    }

    /** Are turns short after that. */
    const short = (read: () => void): boolean => {
      now += 2 * SHORT_FOR
      turn.tick()
      turn.writesAtEnd({ endTurn: () => {} })
      nextTurn()
      assert.isAbove(turn.budget, LIMIT)
      read()
      return turn.budget === LIMIT
    }

    it("is one that brings a request, or a few of them", () => {
      const read = connection()
      assert.isTrue(short(() => read(1, true)))
      assert.isTrue(short(() => read(5, true)))
    })

    it("is also one that logs in, or that needs a new route", () => {
      const read = connection()
      assert.isTrue(short(() => read(1, true, AUTH)))
      assert.isTrue(short(() => read(1, true, ROUTE)))
    })

    it("is not one that only answers, as every receiver of much does", () => {
      const read = connection()
      read(1, true)
      assert.isFalse(short(() => read(1, false)))
    })

    it("is not one that logged in before, and brings many now", () => {
      const read = connection()
      read(1, true, AUTH)
      const many = Math.ceil(turn.least / FRAME)
      assert.isFalse(short(() => read(many, true)))
    })

    it("is not one that has waited with its login, and then brings many", () => {
      const reading = { stop: () => {}, go: () => {} } as unknown as Reading
      const share = new TurnShare(turn, reading, { active: false })
      assert.isFalse(short(() => {
        share.costsExtra(AUTH)
        share.wait()
        nextTurn()
        share.readBegins(2 * turn.least)
        share.begins(true, 2 * turn.least)
        share.readEnds(0)
      }))
    })

    it("is not one that brings many, even if it brings a single one now and then", () => {
      const read = connection()
      const many = Math.ceil(turn.least / FRAME)
      assert.isFalse(short(() => {
        read(many, true)
        for (let i = 0; i < 3; i++) {
          now += SHORT_FOR / 4
          turn.tick()
          turn.writesAtEnd({ endTurn: () => {} })
          nextTurn()
          read(1, true)
        }
      }))
      assert.isTrue(short(() => read(1, true)), "and may be later")
    })
  })
})
