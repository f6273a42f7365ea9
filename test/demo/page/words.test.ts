import { assert, describe, it } from "vitest"
import { MsrpError, type MsrpErrorReason } from "../../../src/browser/MsrpError.ts"
import {
  deliveredIn,
  faultOf,
  howFar,
  inAll,
  loginProblem,
  nextTry,
  receiptProblem,
  receiveProblem,
  sendProblem
} from "../../../src/demo/page/words.ts"

const fault = (reason: MsrpErrorReason, status?: number) => faultOf(new MsrpError(reason, "secret", { status }))

describe("words", () => {
  it("say why a login failed", () => {
    assert.match(loginProblem(fault("Login", 401)), /does not accept this user name and password.*open the link/)
    assert.strictEqual(loginProblem(fault("Login", 423)), "The relay does not let you in (423).")
    assert.match(loginProblem(fault("Unreachable")), /does not answer/)
    assert.match(loginProblem(fault("Unproven")), /not the relay/)
    assert.strictEqual(loginProblem(faultOf(new Error("secret"))), "Logging in did not work.")
  })

  it("say what became of a message", () => {
    assert.strictEqual(sendProblem(fault("Refused", 413)), "refused by the other tab")
    assert.strictEqual(sendProblem(fault("Refused", 481)), "not delivered: the other tab is not there any more")
    assert.strictEqual(sendProblem(fault("Failed", 408)), "not delivered: the other tab did not answer in time")
    assert.strictEqual(sendProblem(fault("Refused", 599)), "not delivered (599)")
    assert.strictEqual(sendProblem(fault("Aborted")), "stopped")
    assert.strictEqual(sendProblem(fault("Lost")), "not sent: the connection was lost")
    assert.strictEqual(receiptProblem(fault("NoReceipt")), "taken by the relay; no receipt has come")
    assert.match(receiptProblem(fault("Failed", 408)), /not delivered/)
    assert.strictEqual(receiveProblem(fault("GivenUp")), "stopped by its sender")
    assert.strictEqual(receiveProblem(fault("Dropped")), "you have refused it")
  })

  it("never have what an error says, which is for developers", () => {
    const reasons: ReadonlyArray<MsrpErrorReason> = [
      "Invalid",
      "Answer",
      "Unreadable",
      "Timeout",
      "Lost",
      "Failed",
      "Login"
    ]
    for (const reason of reasons) {
      for (const say of [loginProblem, sendProblem, receiptProblem, receiveProblem]) {
        assert.notMatch(say(fault(reason)), /secret|undefined/)
      }
    }
  })

  it("tell how far and how fast it is", () => {
    assert.strictEqual(howFar(0, 0, 0), "100 %")
    assert.strictEqual(howFar(1, 3, 100), "33 %")
    assert.strictEqual(howFar(5_000_000, 20_000_000, 1000), "25 % · 5.0 MB/s")
    assert.strictEqual(howFar(999, 1000, 100), "99 %")
    assert.strictEqual(inAll(20_000_000, 1000), "all of it is here · 20.0 MB/s")
    assert.strictEqual(deliveredIn(4.21), "delivered in 4.2 ms")
    assert.strictEqual(deliveredIn(12_300), "delivered in 12.3 s")
    assert.strictEqual(nextTry(2.1), "Next try in 3 s")
    assert.strictEqual(nextTry(-1), "Trying again now")
  })
})
