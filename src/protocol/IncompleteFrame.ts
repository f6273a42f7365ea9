/**
 * Decides when an incomplete frame is parsed again. Parsing restarts at the beginning of the frame, so a long frame that is sent
 * octet by octet would be parsed once for each octet. It is parsed again only if the new octets may complete something.
 */
import { Buffer } from "../platform/Node.ts"
import type { FrameLimits } from "./FrameLimits.ts"
import { isFlag } from "./Grammar.ts"
import type { Head } from "./Head.ts"
import { HYPHENS } from "./Hyphens.ts"

const CR = 13
const LF = 10

/** If at least one part in this number is new, parsing again costs no more than passing the octets on. */
const LITTLE = 32

export class IncompleteFrame {
  /** The number of octets of the frame up to which no limit can be exceeded unless a line ends. */
  #until = 0
  /** The offsets of the transaction id in the frame once the header section is complete, when only an end-line matters; else 0. */
  #tidStart = 0
  #tidEnd = 0

  /** Nothing is known of the octets at hand. */
  forget(): void {
    this.#until = 0
  }

  /** The header section of the frame is incomplete. */
  inHead({ lineStart, start }: Head, { headerLine, headerSection }: FrameLimits): void {
    if (lineStart === start) return
    this.#tidEnd = 0
    this.#until = Math.min(headerSection, lineStart - start + headerLine)
  }

  /** The end-line is missing; `most` octets of body are kept until it comes. */
  inBody({ bodyStart, start, tidEnd, tidStart }: Head, most: number): void {
    this.#until = bodyStart - start + most
    this.#tidStart = tidStart - start
    this.#tidEnd = tidEnd - start
  }

  /** Whether `more` octets are too few to parse again, with `here` octets kept. */
  isLittle(here: number, more: number): boolean {
    return here + more <= this.#until && more * LITTLE < here
  }

  /** Whether parsing again may give something new: a line has ended. `octets`: those of the frame so far; those from `from` on are new. */
  mayGoOn(octets: Buffer, from: number): boolean {
    for (let i = from; i < octets.length; i++) {
      if (octets[i] === LF && octets[i - 1] === CR && (this.#tidEnd === 0 || this.#isEndLine(octets, i - 1))) {
        return true
      }
    }
    return false
  }

  /** Whether there is an end-line before the CRLF at `at`. */
  #isEndLine(octets: Buffer, at: number): boolean {
    const tid = at - 1 - this.#tidEnd + this.#tidStart
    return isFlag(octets[at - 1]!) && octets.compare(octets, this.#tidStart, this.#tidEnd, tid, at - 1) === 0 &&
      octets.compare(lineOfHyphens, 0, lineOfHyphens.length, tid - lineOfHyphens.length, tid) === 0
  }
}

/** The beginning of an end-line, with the end of the line before, which may be one of the header section. */
const lineOfHyphens = Buffer.from(`\r\n${"-".repeat(HYPHENS)}`, "latin1")
