import { assert, describe, it } from "vitest"
import { formatter } from "../../../src/service/trace/Format.ts"
import type { TraceFrame } from "../../../src/trace/TraceFrame.ts"

const SESSION = "1a2b3c4d5e6f"

/** Noon, wherever the test runs. */
const noon = Date.UTC(2026, 10, 28, 12, 0, 0, 123)

const sent: TraceFrame = {
  time: noon,
  direction: "in",
  connection: 7,
  transport: "tls",
  remote: "192.0.2.7:49152",
  local: "198.51.100.1:2855",
  session: SESSION,
  part: "frame",
  startLine: "MSRP a786hjs2 SEND",
  headers: [`To-Path: msrps://relay:2855/~${SESSION};tcp`, "Byte-Range: 1-25/25"],
  octets: 25,
  flag: "$"
}

const answer: TraceFrame = {
  ...sent,
  time: noon + 1,
  direction: "out",
  startLine: "MSRP a786hjs2 200 OK",
  headers: [],
  octets: 0
}

const end: TraceFrame = { ...sent, part: "end", headers: [], octets: 2_000_000, flag: "+" }

const { flag: _flag, octets: _octets, session: _session, ...bare } = sent
const begin: TraceFrame = { ...bare, session: SESSION, part: "begin" }
const broken: TraceFrame = { ...bare, part: "broken", startLine: "", headers: [], problem: "not MSRP" }

const where = `tls #7  from 192.0.2.7:49152 at 198.51.100.1:2855`

describe("a trace for people", () => {
  it("has a block for each frame, and a line for each day", () => {
    const format = formatter({ colours: false })
    assert.strictEqual(
      [sent, answer, { ...sent, time: noon + 86_400_000, headers: [], octets: 1 }].map(format).join(""),
      `2026-11-28 UTC
12:00:00.123 --> SEND  ~${SESSION}  ${where}
    MSRP a786hjs2 SEND
    To-Path: msrps://relay:2855/~${SESSION};tcp
    Byte-Range: 1-25/25
    (25 octets of body)
    -------a786hjs2$

12:00:00.124 <-- 200 OK  ~${SESSION}  tls #7  to 192.0.2.7:49152 from 198.51.100.1:2855
    MSRP a786hjs2 200 OK
    -------a786hjs2$

2026-11-29 UTC
12:00:00.123 --> SEND  ~${SESSION}  ${where}
    MSRP a786hjs2 SEND
    (1 octet of body)
    -------a786hjs2$

`
    )
  })

  it.each<readonly [string, TraceFrame, string]>([
    ["the beginning of a long chunk", begin, "SEND begins"],
    ["its end", end, "SEND ends (2,000,000 octets)"],
    ["what is malformed", { ...sent, octets: 0, problem: "empty To-Path" }, "SEND (empty To-Path)"],
    ["a frame without a body", { ...sent, octets: 0 }, "SEND"]
  ])("tells on one line: %s", (_, frame, what) => {
    const [, line] = formatter({ colours: false, brief: true })(frame).split("\n")
    assert.strictEqual(line, `12:00:00.123 --> ${what}  ~${SESSION}  a786hjs2  ${where}`)
  })

  it("tells why a connection is closed, and how much is missing", () => {
    assert.strictEqual(
      formatter({ colours: false })({ ...broken, dropped: 1234 }),
      `2026-11-28 UTC
12:00:00.123 --> connection closed  ${where}
    (the connection is closed: not MSRP)
... 1,234 frames are missing here: they came faster than they were read

`
    )
    assert.include(formatter({ colours: false, brief: true })({ ...sent, dropped: 1 }), "... 1 frame is missing here")
  })

  it("has colours where these are wanted, and the same words", () => {
    const frames = [sent, answer, begin, end, broken, { ...sent, problem: "bad" }]
    const plain = frames.map(formatter({ colours: false })).join("")
    const coloured = frames.map(formatter({ colours: true })).join("")
    assert.notInclude(plain, "\u001b")
    // oxlint-disable-next-line no-control-regex -- they are what is looked for
    assert.strictEqual(coloured.replaceAll(/\u001b\[\d+m/g, ""), plain)
    assert.include(coloured, "\u001b[1m\u001b[36m--> SEND")
    assert.include(coloured, "\u001b[1m\u001b[32m<-- 200 OK")
    assert.include(formatter({ colours: true })({ ...answer, startLine: "MSRP a 481" }), "\u001b[33m<-- 481")
    assert.include(coloured, "\u001b[31m--> connection closed")
  })
})
