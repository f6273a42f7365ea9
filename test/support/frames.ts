/**
 * Frames as the peers of the tests write and read them. The code under test is not used, so that what the relay's decoder and
 * encoder agree on by mistake is seen.
 */
import { assert } from "@effect/vitest"

/** A frame as a peer got it. */
export interface Frame {
  /** All of it. */
  readonly octets: Buffer
  readonly id: string
  /** Empty for a response. */
  readonly method: string
  /** 0 for a request. */
  readonly status: number
  readonly comment: string
  readonly to: string
  readonly from: string
  /** Behind From-Path, in order. */
  readonly headers: ReadonlyArray<readonly [name: string, value: string]>
  readonly body: Buffer | undefined
  readonly flag: string
}

export const header = (frame: Frame, name: string): string | undefined =>
  frame.headers.find(([one]) => one.toLowerCase() === name.toLowerCase())?.[1]

export const headers = (frame: Frame, name: string): ReadonlyArray<string> =>
  frame.headers.filter(([one]) => one.toLowerCase() === name.toLowerCase()).map(([, value]) => value)

/** Start line without the id, and the headers behind the paths: what can be compared with an expectation. */
export const summary = (frame: Frame): string =>
  [
    frame.method === "" ? `${frame.status}` : frame.method,
    ...frame.headers.map(([name, value]) => `${name}: ${value}`),
    ...(frame.body === undefined ? [] : [`[${frame.body.length}]`]),
    frame.flag
  ].join(" | ")

/** Ends a header section. */
export const CRLF2 = Buffer.from("\r\n\r\n")

/** A whole frame with this id. */
export const readFrame = (octets: Buffer, id: string): Frame => {
  const blank = octets.indexOf(CRLF2)
  const tail = `-------${id}?\r\n`.length
  const section = octets.toString("latin1", 0, blank === -1 ? octets.length - tail - 2 : blank).split("\r\n")
  const [start, ...lines] = section
  const words = /^MSRP \S+ (?:(\d{3})(?: (.*))?|([A-Z_]+))$/.exec(start!)
  assert.isNotNull(words, `start line: ${start}`)
  const fields = lines.map((line): readonly [string, string] => {
    const colon = line.indexOf(":")
    assert.isAbove(colon, 0, `header: ${line}`)
    return [line.slice(0, colon), line.slice(colon + 1).replace(/^ /, "")]
  })
  assert.deepStrictEqual(fields.slice(0, 2).map(([name]) => name), ["To-Path", "From-Path"])
  return {
    octets,
    id,
    method: words[3] ?? "",
    status: Number(words[1] ?? 0),
    comment: words[2] ?? "",
    to: fields[0]![1],
    from: fields[1]![1],
    headers: fields.slice(2),
    body: blank === -1 ? undefined : octets.subarray(blank + 4, octets.length - tail - 2),
    flag: octets.toString("latin1", octets.length - 3, octets.length - 2)
  }
}

export interface FrameParts {
  readonly id?: string
  readonly to: string
  readonly from: string
  readonly headers?: ReadonlyArray<string>
  readonly body?: string | Buffer
  readonly flag?: string
}

let ids = 0
export const nextId = (): string => `t${String(++ids).padStart(7, "0")}`

/** A request, written down here and not by the code under test. */
export const request = (method: string, parts: FrameParts): Buffer => {
  const id = parts.id ?? nextId()
  const lines = [`MSRP ${id} ${method}`, `To-Path: ${parts.to}`, `From-Path: ${parts.from}`, ...(parts.headers ?? [])]
  const end = `-------${id}${parts.flag ?? "$"}\r\n`
  const head = lines.map((line) => `${line}\r\n`).join("")
  if (parts.body === undefined) return Buffer.from(head + end, "latin1")
  const body = typeof parts.body === "string" ? Buffer.from(parts.body, "latin1") : parts.body
  return Buffer.concat([Buffer.from(`${head}\r\n`, "latin1"), body, Buffer.from(`\r\n${end}`, "latin1")])
}

export interface Message extends FrameParts {
  readonly messageId?: string
  readonly range?: string
  readonly failureReport?: string | undefined
}

/** Message-ID, Byte-Range and the like of a SEND with this body. */
export const send = (parts: Message): Buffer => {
  const length = parts.body?.length ?? 0
  return request("SEND", {
    ...parts,
    headers: [
      `Message-ID: ${parts.messageId ?? "msg.1"}`,
      `Byte-Range: ${parts.range ?? `1-${length}/${length}`}`,
      ...(parts.failureReport === undefined ? [] : [`Failure-Report: ${parts.failureReport}`]),
      ...(parts.headers ?? []),
      ...(parts.body === undefined ? [] : ["Content-Type: text/plain"])
    ]
  })
}

export const response = (to: string, from: string, id: string, status: string, ...more: Array<string>): Buffer =>
  Buffer.from(
    [`MSRP ${id} ${status}`, `To-Path: ${to}`, `From-Path: ${from}`, ...more, `-------${id}$`, ""].join("\r\n"),
    "latin1"
  )
