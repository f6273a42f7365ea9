/** Tables, ages and octets as people read them. */
import { assert, it } from "@effect/vitest"
import type { Overview } from "../../../src/Admin.ts"
import { type RatedCounter, ratedCounters } from "../../../src/admin/Parts.ts"
import { duration, moment, number, octets, plain, table } from "../../../src/service/admin/Text.ts"
import { connectionLines, eventLines, overviewLines, sessionLines } from "../../../src/service/admin/Views.ts"
import { fakeOperator } from "../../support/admin.ts"

it("octets have three digits at most, and a unit", () => {
  const texts = [0, 999, 1000, 1249, 9949, 9950, 999_499, 999_500, 1_000_000, 35_400_000, 2e12, 4e18].map(octets)
  assert.deepStrictEqual(texts, [
    "0 B",
    "999 B",
    "1.0 kB",
    "1.2 kB",
    "9.9 kB",
    "10 kB",
    "999 kB",
    "1.0 MB",
    "1.0 MB",
    "35 MB",
    "2.0 TB",
    "4000 PB"
  ])
})

it("an age has its two largest units", () => {
  const texts = [-5, 0, 59_999, 60_000, 3_599_000, 3_600_000, 86_399_000, 86_400_000, 9e9].map(duration)
  assert.deepStrictEqual(texts, ["0s", "0s", "59s", "1m", "59m", "1h00m", "23h59m", "1d00h", "104d04h"])
  assert.strictEqual(moment(1_790_000_000_000), "2026-09-21 14:13:20")
  assert.strictEqual(number(1_234_567.89), "1,234,567.9")
})

it("what others have named does not steer the terminal", () => {
  assert.strictEqual(plain("a\u001b[31mb\u202ec\r\n"), "a�[31mb�c��")
  const [, line] = table([{ title: "USER", of: (text: string) => text }], ["\u001b]0;x\u0007"])
  assert.notMatch(line!, /\p{Cc}/u)
})

it("lists fit 100 columns, whatever is in them, and are aligned", () => {
  const operator = fakeOperator(1000)
  const long = {
    user: "a-user-with-a-name-that-has-no-end-at-all",
    realm: "realm.of.a.company.with.many.departments.example.com",
    remote: "[2001:db8:1234:5678:9abc:def0:1234:5678]:65535",
    listener: "msrps://[2001:db8:1234:5678:9abc:def0:1234:5678]:2855"
  }
  const shown = { offset: 0, now: 1_791_000_000_000, width: 100 }
  const all = [
    sessionLines({ total: 2, items: operator.sessions().items.map((one) => Object.assign(one, long)) }, shown),
    connectionLines({ total: 2, items: operator.connections().items.map((one) => Object.assign(one, long)) }, shown)
  ]
  for (const [head, ...lines] of all) {
    for (const line of [head!, ...lines]) assert.isAtMost(Array.from(line).length, 100, line)
    assert.include(lines[5], "…")
    assert.include(lines[5], head!.startsWith("SESSION") ? "000000000005" : "     5")
  }
  // Nothing is cut that has room.
  assert.notInclude(sessionLines(fakeOperator(10).sessions(), shown).join(), "…")
  assert.notInclude(sessionLines(operator.sessions(), { ...shown, width: Infinity }).join(), "…")
})

it("events that are long go on in the next line, set in", () => {
  const fields = Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`field${i}`, "value".repeat(3)]))
  const lines = eventLines([{ time: 0, level: "Info", message: "session ended", fields }], "none", 100)
  assert.isAbove(lines.length, 2)
  for (const line of lines) assert.isAtMost(line.length, 100)
  assert.match(lines[1]!, /^ {21}field/)
})

const since = 1_790_000_000_000

const overview: Overview = {
  phase: "serving",
  version: "0.1.0",
  since,
  started: since,
  now: since,
  connections: 1,
  sessions: 1,
  bufferedOctets: 0,
  eventLoopDelay: 0,
  rates: Object.fromEntries(ratedCounters.map((name) => [name, 0])) as Record<RatedCounter, number>
}

it("a status has the memory of the process, and what the relay keeps of it if that is known", () => {
  const known = { resident: 150e6, heapUsed: 40e6, heapReserved: 60e6, buffers: 36e6 }
  const lines = (memory: Overview["memory"]) =>
    overviewLines({ ...overview, memory }, "here").filter((line) => /memory|buffers/.test(line))
  const first = "  memory       150 MB: heap 60 MB (40 MB in use),"
  assert.deepStrictEqual(lines(undefined), [])
  assert.deepStrictEqual(lines(known), [first, "               buffers 36 MB"])
  assert.deepStrictEqual(lines({ ...known, output: 1e6, freeBlocks: 33e6 }), [
    first,
    "               buffers 36 MB (1.0 MB for output, 33 MB free for requests that wait)"
  ])
})

it("a status says which source of users has none", () => {
  const users = [{ backend: "file", users: 0 }, { backend: "memory", users: 2 }, { backend: "sql" }]
  const lines = overviewLines({ ...overview, users }, "here").filter((line) => line.includes("users"))
  assert.deepStrictEqual(lines, ["  users        none in file: its logins are refused"])
})

it("a status that is long goes on in the next line, set in, with all of its words", () => {
  const reason = `no connection: ${"nobody listens there ".repeat(9)}(ECONNREFUSED)`
  const broken = { ...overview, users: [{ backend: "sql", unavailable: { since, last: since, reason } }] }
  const lines = overviewLines(broken, "127.0.0.1:2858", 80)
  for (const line of lines) assert.isAtMost(line.length, 80)
  const at = lines.findIndex((line) => line.startsWith("  users        cannot be queried since"))
  assert.match(lines[at + 1]!, /^ {15}\S/)
  assert.include(lines.map((line) => line.trim()).join(" "), reason)
  assert.include(overviewLines(broken, "127.0.0.1:2858").join("\n"), reason)
})
