/** Reports what waited in a flow and is not sent any more. */
import { totalOf } from "../../protocol/ByteRange.ts"
import { Kind } from "../../protocol/Head.ts"
import type { Loss } from "../Loss.ts"
import { readAgain } from "./KeptFrame.ts"
import { openFrom, OVERHEAD, type Parked, restFrom } from "./Parked.ts"
import type { Way } from "./Way.ts"

/**
 * What is kept of these, the first REPORTs up to `most` octets, and what is dropped. Nothing is in both: what is kept may be written
 * before the steps in which the others fail, and its memory then has the octets of somebody else.
 */
export const withoutReports = (parked: ReadonlyArray<Parked>, most: number) => {
  const [dropped, kept]: [Array<Parked>, Array<Parked>] = [[], []]
  let octets = 0
  let left = most
  for (const one of parked) {
    if (one.kind === "frame" && left > 0 && readAgain(one.octets).kind === Kind.Report) {
      left -= one.octets.length + OVERHEAD
      if (left >= 0) {
        octets = most - left
        kept.push(one)
        continue
      }
    }
    dropped.push(one)
  }
  return { dropped, kept, octets }
}

/**
 * Returns the steps in which these fail, one in each. They may begin much later, so two long chunks fail at once. `written`: octets
 * of the first item that are already sent.
 */
export const undelivered = (
  way: Way,
  parked: ReadonlyArray<Parked>,
  written: number,
  loss: Loss
): Iterable<void> => {
  const failItem = (i: number): void => {
    const one = parked[i]!
    if (one.kind === "frame") return failFrame(way, one, loss)
    if (one.kind === "end") one.answer?.give()
    if (one.stream.refused) return
    const rest = restFrom(parked, i)
    one.stream.fail(loss, rest.octets - (i === 0 ? written : 0), rest.flag)
  }
  // A defect, which may be why the others fail, must not keep anybody from being told of these.
  const fail = (i: number): void => {
    try {
      failItem(i)
    } catch (defect) {
      way.target.shared.turn.throwsLater(defect)
    }
  }
  // More of the one at the end may come in, and nothing may follow what is missing.
  const open = openFrom(parked)
  if (open < parked.length) fail(open)
  // The first one may have a piece open at the hop: that ends with `#`, before another sender would end it with `+` (RFC 4975 §7.1.1).
  if (parked.length > 0 && parked[0]!.kind !== "frame") fail(0)
  return eachStep(parked.length, fail)
}

function* eachStep(count: number, step: (i: number) => void): Iterable<void> {
  for (let i = 0; i < count; i++) {
    step(i)
    yield
  }
}

/** Fails a whole frame that was accepted. A request other than SEND is answered, if its client waits for that. */
const failFrame = (
  way: Way,
  { answer, bodyEnd, flag, octets }: Extract<Parked, { kind: "frame" }>,
  loss: Loss
): void => {
  answer?.give()
  const head = readAgain(octets)
  if (head.kind === Kind.Report || head.failureReport === "no") return way.wayBack.lost(loss, head.kind)
  if (head.kind !== Kind.Send) return way.wayBack.answer(head.transactionId, head.kind, loss)
  const { messageId, rangeStart: start, rangeTotal } = head
  const length = bodyEnd - head.bodyStart
  way.wayBack.report({ messageId, start, length, total: totalOf(rangeTotal, start + length - 1, flag) }, loss)
}
