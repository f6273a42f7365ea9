/** Who is looked at, and how late wrong credentials are answered. */
import { assert, describe, it } from "@effect/vitest"
import { Attempts, type Candidate } from "../../src/authenticator/Attempts.ts"

const alice: Candidate = { username: "alice", realm: "one.test", source: "192.0.2.1", relay: undefined }
const behind = (relay: string, username = "alice"): Candidate => ({ ...alice, username, source: undefined, relay })

const make = (freePerUser = 2, freePerAddress = 1_000_000) => {
  const clock = { now: 0 }
  const attempts = new Attempts({ freePerUser, freePerAddress }, () => clock.now)
  const fails = (who: Candidate): number | "not looked at" => {
    const attempt = attempts.begin(who)
    if (attempt === undefined) return "not looked at"
    const late = attempt.failed()
    attempt.end()
    return late
  }
  const succeeds = (who: Candidate): boolean => {
    const attempt = attempts.begin(who)
    attempt?.succeeded()
    attempt?.end()
    return attempt !== undefined
  }
  /** Fills all places of those who have failed too often. */
  const crowd = (who: Candidate): void => {
    for (let i = 0; i < 3; i++) fails(who)
    while (attempts.begin(who) !== undefined);
  }
  return { attempts, clock, crowd, fails, succeeds }
}

describe("R4976-9.3-08: failures are counted", () => {
  it("ten of a user from one address, and a hundred from one address, cost nothing", () => {
    const attempts = new Attempts({}, () => 0)
    const failed = (who: Candidate): number => {
      const attempt = attempts.begin(who)!
      const late = attempt.failed()
      attempt.end()
      return late
    }
    const ofOne = Array.from({ length: 12 }, () => failed(alice))
    assert.deepStrictEqual(ofOne, [...Array<number>(10).fill(0), 1000, 2000])
    const elsewhere = Array.from({ length: 101 }, (_, i) => failed({ ...alice, username: `${i}`, source: "192.0.2.9" }))
    assert.deepStrictEqual(elsewhere, [...Array<number>(100).fill(0), 1000])
  })

  it("for a user of one realm: what his namesake in another does, and his success there, change nothing", () => {
    const { crowd, fails, succeeds } = make()
    const other = { ...alice, realm: "two.test" }
    for (let i = 0; i < 20; i++) {
      fails(other)
      assert.isTrue(succeeds(alice))
    }
    assert.strictEqual(fails(other), 16_000)
    assert.strictEqual(fails(alice), 0)
    crowd(other)
    assert.strictEqual(fails(other), "not looked at")
    assert.strictEqual(fails(alice), 0)
  })

  it("beyond ten of a user, or a hundred of an address, they are answered twice as late each, to 16 seconds", () => {
    const attempts = new Attempts({}, () => 0)
    const late = (who: Candidate) => {
      const attempt = attempts.begin(who)!
      attempt.end()
      return attempt.failed()
    }
    const slower = [1000, 2000, 4000, 8000, 16_000, 16_000]
    const ofUser = Array.from({ length: 16 }, () => late(alice))
    assert.deepStrictEqual(ofUser, [...Array.from({ length: 10 }, () => 0), ...slower])
    const ofMany = Array.from({ length: 106 }, (_, n) => late({ ...alice, source: "192.0.2.2", username: `user${n}` }))
    assert.deepStrictEqual(ofMany, [...Array.from({ length: 100 }, () => 0), ...slower])
  })

  it("behind other relays for each of these by itself, and never together with an address", () => {
    const { crowd, fails, succeeds } = make()
    crowd(behind("198.51.100.1"))
    assert.strictEqual(fails(behind("198.51.100.1")), "not looked at")
    assert.strictEqual(fails(behind("198.51.100.2")), 0)
    assert.strictEqual(fails({ ...alice, source: "198.51.100.1" }), 0)
    assert.isTrue(succeeds(behind("198.51.100.1", "bob")))
  })

  it("behind another relay with so many late answers at a time only that the relay's connection does not wait for them", () => {
    const { attempts } = make()
    const relay = "198.51.100.1"
    assert.isTrue(attempts.begin(behind(relay, "welcome"))?.succeeded() === undefined)
    const waiting: Array<() => void> = []
    for (let i = 0; i < 1000; i++) {
      for (let j = 0; j < 5; j++) {
        const attempt = attempts.begin(behind(relay, i % 2 === 0 ? `user${i}` : "welcome"))
        if (attempt === undefined) continue
        if (attempt.failed() > 0) waiting.push(() => attempt.end())
        else attempt.end()
      }
    }
    assert.strictEqual(waiting.length, 128)
    // Who has not failed is looked at, and so is whoever is behind another relay.
    const bob = attempts.begin(behind(relay, "bob"))
    assert.isDefined(bob)
    bob?.end()
    assert.isDefined(attempts.begin(behind("198.51.100.2", "user0")))
    assert.isUndefined(attempts.begin(behind(relay, "user0")))
    for (const end of waiting) end()
    assert.isDefined(attempts.begin(behind(relay, "user0")))
  })

  it("and the time that a look-up took is a part of the time until the answer", () => {
    const { attempts, clock, fails } = make()
    for (let i = 0; i < 2; i++) assert.strictEqual(fails(alice), 0)
    const slow = attempts.begin(alice)!
    clock.now += 400
    assert.strictEqual(slow.failed(), 600)
    const slower = attempts.begin(alice)!
    clock.now += 3000
    assert.strictEqual(slower.failed(), 0)
  })
})

it("R4976-9.3-08: who is right at the second look has not failed, himself or from his address", () => {
  const { attempts, fails } = make(2, 3)
  for (let n = 0; n < 10; n++) {
    const attempt = attempts.begin({ ...alice, username: `user${n}` })!
    assert.isTrue(attempt.goesOn())
    assert.strictEqual(attempt.failed(), 0)
    attempt.succeeded()
    attempt.end()
  }
  for (let n = 0; n < 3; n++) assert.strictEqual(fails({ ...alice, username: `other${n}` }), 0)
  assert.strictEqual(fails({ ...alice, username: "other3" }), 1000)
})

it("R4976-9.3-08: one failure counts once, and the time until it is answered goes by", () => {
  const { attempts, clock, fails } = make()
  for (let i = 0; i < 2; i++) fails(alice)
  const attempt = attempts.begin(alice)!
  assert.strictEqual(attempt.failed(), 1000)
  clock.now += 300
  assert.strictEqual(attempt.failed(), 700)
  attempt.end()
  assert.strictEqual(fails(alice), 2000)
})

describe("R4976-9.3-08: who has logged in from an address before", () => {
  for (const [where, who] of [["as himself", alice], ["behind a relay", behind("198.51.100.1")]] as const) {
    it(`is always looked at there, ${where}, however many guess in his name; nobody else is`, () => {
      const { attempts, crowd, succeeds } = make()
      assert.isTrue(succeeds(who))
      for (let i = 0; i < 3; i++) attempts.begin(who)!.failed()
      for (let i = 0; i < 100; i++) assert.isDefined(attempts.begin(who))
      assert.isTrue(succeeds(who))
      crowd({ ...who, username: "bob" })
      assert.isFalse(succeeds({ ...who, username: "bob" }))
    })
  }

  it("also when too many others have failed there", () => {
    const { attempts, fails, succeeds } = make(1_000_000, 3)
    assert.isTrue(succeeds(alice))
    for (let n = 0; n < 4; n++) fails({ ...alice, username: `user${n}` })
    while (attempts.begin({ ...alice, username: "other" }) !== undefined);
    assert.isFalse(succeeds({ ...alice, username: "bob" }))
    assert.isTrue(succeeds(alice))
    assert.strictEqual(fails(alice), 0)
  })

  it("is one of many again after a thousand failures without a success: no address is an oracle", () => {
    const { attempts, clock, fails, succeeds } = make()
    assert.isTrue(succeeds(alice))
    for (let i = 0; i < 999; i++) fails(alice)
    assert.isTrue(succeeds(alice))
    for (let i = 0; i < 1000; i++) assert.isNumber(fails(alice))
    let looked = 0
    while (attempts.begin(alice) !== undefined) looked++
    assert.strictEqual(looked, 4)
    clock.now += 900_000
    assert.isTrue(succeeds(alice))
  })

  it("is one of many again for the guesses, too, whose secret comes only then", () => {
    const { attempts, succeeds } = make()
    assert.isTrue(succeeds(alice))
    const guesses = Array.from({ length: 2000 }, () => attempts.begin(alice)!)
    const looked = guesses.filter((guess) => guess.goesOn() && guess.failed() >= 0)
    assert.strictEqual(looked.length, 1004)
    for (const guess of guesses) guess.end()
    assert.isTrue(attempts.begin(alice)?.goesOn())
  })
})

describe("R4976-9.3-08: what is remembered of attempts", () => {
  it("is that they failed, until the user logs in: then as many cost nothing as before", () => {
    const { attempts, fails, succeeds } = make()
    for (let i = 0; i < 2; i++) {
      assert.deepStrictEqual([fails(alice), fails(alice)], [0, 0])
      // Who may still fail at no cost may have any number of attempts under way.
      const underWay = Array.from({ length: 20 }, () => attempts.begin(alice))
      for (const one of underWay) {
        assert.isDefined(one)
        one?.end()
      }
      assert.isTrue(succeeds(alice))
    }
  })

  it("is who is under way: an attempt that goes on needs no other place", () => {
    const { attempts, crowd, fails } = make()
    for (let i = 0; i < 3; i++) fails(alice)
    const underWay = Array.from({ length: 4 }, () => attempts.begin(alice)!)
    assert.isUndefined(attempts.begin(alice))
    for (const one of underWay) assert.isTrue(one.goesOn())
    for (const one of underWay) one.end()
    crowd(alice)
    assert.isUndefined(attempts.begin(alice))
  })

  it("is no more of an address than what failed there: what is taken back late leaves no room for further guesses", () => {
    const { attempts, clock, fails } = make(1_000_000, 2)
    const slow = ["bob", "carol", "dave"].map((username) => attempts.begin({ ...alice, username })!)
    for (const one of slow) one.failed()
    clock.now += 900_000
    assert.strictEqual(fails(alice), 0)
    for (const one of slow) one.succeeded()
    const others = Array.from({ length: 3 }, (_, i) => fails({ ...alice, username: `${i}` }))
    assert.deepStrictEqual(others, [0, 0, 1000])
  })

  it("is each failure from an address, whoever logs in from there at the first look", () => {
    const { fails, succeeds } = make(1_000_000, 2)
    for (const username of ["bob", "carol"]) assert.strictEqual(fails({ ...alice, username }), 0)
    for (const username of ["dave", "erin"]) assert.isTrue(succeeds({ ...alice, username }))
    assert.strictEqual(fails(alice), 1000)
  })

  it("is no more than 10,000 failures of users, and of addresses, and logins: the oldest is forgotten", () => {
    const { attempts, fails, succeeds } = make(0, 0)
    const each = (does: (who: Candidate) => void): void => {
      for (let i = 0; i < 10_000; i++) does({ ...alice, username: `user${i}`, source: `2001:db8:${i}::` })
    }
    const bob = { ...alice, username: "bob" }
    assert.deepStrictEqual([fails(alice), fails(bob)], [1000, 2000])
    each(fails)
    assert.deepStrictEqual([fails(alice), fails(bob)], [1000, 2000])
    assert.isTrue(succeeds(alice))
    fails(alice)
    const looked = () => Array.from({ length: 8 }, () => attempts.begin(alice)).filter((one) => one !== undefined)
    assert.lengthOf(looked(), 8)
    each(succeeds)
    assert.lengthOf(looked(), 4)
  })
})
