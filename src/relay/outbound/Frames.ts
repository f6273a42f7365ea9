/**
 * The parts of frames that every forwarded message needs, written octet by octet where a call would cost more: the start of a
 * SEND, an end-line, and the 200 to the previous hop.
 */
import type { Flag } from "../../protocol/Head.ts"
import type { Outbox } from "./Outbox.ts"

const MSRP = Buffer.from("MSRP ")
const SEND = Buffer.from(" SEND\r\n")
const END = Buffer.from("$\r\n")
const HYPHENS = Buffer.from("-------")
const BODY_ENDS = Buffer.from("\r\n-------")
const CRLF = Buffer.from("\r\n")

/** Writes the start line of a SEND and its path lines. */
export const writeSend = (outbox: Outbox, id: string, lines: Buffer): void => {
  const slab = outbox.reserve(MSRP.length + id.length + SEND.length + lines.length)
  let at = outbox.position
  for (let i = 0; i < MSRP.length; i++) slab[at++] = MSRP[i]!
  for (let i = 0; i < id.length; i++) slab[at++] = id.charCodeAt(i)
  for (let i = 0; i < SEND.length; i++) slab[at++] = SEND[i]!
  slab.set(lines, at)
  outbox.advance(at + lines.length)
}

/** Writes an end-line in one piece, because some clients do not find an end-line that is split over two reads. */
export const writeEndLine = (outbox: Outbox, id: string, flag: Flag, hasBody: boolean): void => {
  const before = hasBody ? BODY_ENDS : HYPHENS
  const slab = outbox.reserve(before.length + id.length + 1 + CRLF.length)
  let at = outbox.position
  for (let i = 0; i < before.length; i++) slab[at++] = before[i]!
  for (let i = 0; i < id.length; i++) slab[at++] = id.charCodeAt(i)
  slab[at++] = flag.charCodeAt(0)
  for (let i = 0; i < CRLF.length; i++) slab[at++] = CRLF[i]!
  outbox.advance(at)
  outbox.frameEnds()
}

/** Writes a 200 to the previous hop (RFC 4976 §6.4.1). `between` stands between the two transaction ids. */
export const writeOk = (outbox: Outbox, between: Buffer, buf: Buffer, tidStart: number, tidEnd: number): void => {
  const slab = outbox.reserve(MSRP.length + between.length + 2 * (tidEnd - tidStart) + END.length)
  let at = outbox.position
  for (let i = 0; i < MSRP.length; i++) slab[at++] = MSRP[i]!
  for (let i = tidStart; i < tidEnd; i++) slab[at++] = buf[i]!
  slab.set(between, at)
  at += between.length
  for (let i = tidStart; i < tidEnd; i++) slab[at++] = buf[i]!
  for (let i = 0; i < END.length; i++) slab[at++] = END[i]!
  outbox.advance(at)
  outbox.frameEnds()
}
