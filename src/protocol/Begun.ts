/**
 * A frame of which a part is here. To look at it again begins where the frame does, so whoever sends it octet by octet would
 * have a long one read as often as it has octets: it is looked at again only when that may tell something new.
 */
import { Buffer } from "../platform/Node.ts"
import type { FrameLimits } from "./FrameLimits.ts"
import { isFlag } from "./Grammar.ts"
import type { Head } from "./Head.ts"
import { HYPHENS } from "./Hyphens.ts"

const CR = 13
const LF = 10

/** Of more than one part in so many that is here, another look costs no more than to pass it on. */
const LITTLE = 32

export class Begun {
  /** As many octets of the frame as are within all limits, unless a line ends. */
  #until = 0
  /** Where the transaction id stands in it, when the header section is whole: only an end-line matters then. */
  #tidStart = 0
  #tidEnd = 0

  /** Nothing is known of what is here. */
  forget(): void {
    this.#until = 0
  }

  /** Of the frame at `at` the header section is not whole. */
  inHead({ lineStart, start }: Head, { headerLine, headerSection }: FrameLimits): void {
    if (lineStart === start) return
    this.#tidEnd = 0
    this.#until = Math.min(headerSection, lineStart - start + headerLine)
  }

  /** Its end-line is not here, and so many octets of body are kept until it is. */
  inBody({ bodyStart, start, tidEnd, tidStart }: Head, most: number): void {
    this.#until = bodyStart - start + most
    this.#tidStart = tidStart - start
    this.#tidEnd = tidEnd - start
  }

  /** So many octets more are few. */
  isLittle(here: number, more: number): boolean {
    return here + more <= this.#until && more * LITTLE < here
  }

  /** Whether another look at it tells something new. `octets`: all of it that is here, those from `from` on were not looked at. */
  mayGoOn(octets: Buffer, from: number): boolean {
    for (let i = from; i < octets.length; i++) {
      if (octets[i] === LF && octets[i - 1] === CR && (this.#tidEnd === 0 || this.#isEndLine(octets, i - 1))) {
        return true
      }
    }
    return false
  }

  /** Is there an end-line before the CRLF at `at`. */
  #isEndLine(octets: Buffer, at: number): boolean {
    const tid = at - 1 - this.#tidEnd + this.#tidStart
    return isFlag(octets[at - 1]!) && octets.compare(octets, this.#tidStart, this.#tidEnd, tid, at - 1) === 0 &&
      octets.compare(lineOfHyphens, 0, lineOfHyphens.length, tid - lineOfHyphens.length, tid) === 0
  }
}

/** The beginning of an end-line, which also stands behind a line of the header section. */
const lineOfHyphens = Buffer.from(`\r\n${"-".repeat(HYPHENS)}`, "latin1")
