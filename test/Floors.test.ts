/** The floors of docs/architecture.md: a file imports from its own floor or from those below, whatever way it imports. */
import { globSync, readFileSync } from "node:fs"
import { dirname, join, normalize, relative } from "node:path"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "vitest"

const src = fileURLToPath(new URL("../src", import.meta.url))

/** From the ground up; a file is on the first floor whose pattern fits. */
const relayFloors = [
  [
    "ground",
    /^relay\/(Blocks|Closing|Conditions|Counters|FrameTrace|Gauges|HopSessions|Limits|LongTasks|Loss|Memory|Observer|OutputLoads|RelayProof|Session|SessionBook|SessionRecord|SessionTable|Shared|Slabs|TaskQueue|Timers|Totals|Turn)\.ts$/
  ],
  ["outbound", /^relay\/outbound\//],
  ["route", /^relay\/route\//],
  ["rules", /^relay\/rules\//],
  ["inbound", /^relay\/inbound\//],
  ["Hop", /^relay\/Hop\.ts$/],
  ["Switchboard", /^relay\/(Shutdown|Switchboard)\.ts$/],
  ["edge", /^relay\/edge\//]
] as const

/**
 * What those on a floor of the relay, and the protocol, may import from elsewhere. Whole packages of Node by name. What the
 * client has of the protocol runs in browsers too: it has Node's by `platform/`, which re-exports them and nothing else.
 */
const protocolNeeds = [/^protocol\//, /^platform\/Node\.ts$/, /^node:buffer$/]
const relayNeeds = [
  /^protocol\//,
  /^collections\//,
  /^net\/(Addresses|AddressList|Crowd|Hosts)\.ts$/,
  /^transport\/(Connection|TransportName)\.ts$/,
  /^node:net$/
]

const files = globSync("**/*.ts", { cwd: src })

/** Static, by type, re-exported, dynamic: all that is imported, from the root of `src`. */
const importsOf = (file: string): ReadonlyArray<string> =>
  Array.from(
    readFileSync(join(src, file), "utf8").matchAll(/\bfrom\s+"([^"]+)"|\bimport\s*\(?\s*"([^"]+)"/g),
    ([, one, other]) => {
      const name = (one ?? other)!
      return name.startsWith(".") ? normalize(join(dirname(file), name)) : name
    }
  )

const floorOf = (file: string): number => relayFloors.findIndex(([, pattern]) => pattern.test(file))

const wrong = (chosen: ReadonlyArray<string>, allows: (file: string, imported: string) => boolean) =>
  chosen.flatMap((file) => importsOf(file).filter((one) => !allows(file, one)).map((one) => `${file} imports ${one}`))

describe("floors", () => {
  it("each file of the relay is on one", () => {
    assert.deepStrictEqual(files.filter((file) => file.startsWith("relay/") && floorOf(file) === -1), [])
    assert.isAbove(files.length, 100)
  })

  it("of the relay import downwards, and nothing that they need not", () => {
    const inner = files.filter((file) => file.startsWith("relay/") && !file.startsWith("relay/edge/"))
    const allows = (file: string, imported: string) =>
      imported.startsWith("relay/")
        ? floorOf(imported) !== -1 && floorOf(imported) <= floorOf(file)
        : relayNeeds.some((pattern) => pattern.test(imported))
    assert.deepStrictEqual(wrong(inner, allows), [])
  })

  it("below the relay know nothing of it: protocol, addresses, collections and what a connection is", () => {
    const protocol = files.filter((file) => file.startsWith("protocol/"))
    assert.deepStrictEqual(wrong(protocol, (_, one) => protocolNeeds.some((pattern) => pattern.test(one))), [])
    const shared = files.filter((file) =>
      /^(net\/(Addresses|Crowd|Hosts)|collections\/|transport\/(Connection|TransportName)\.)/.test(file)
    )
    const allows = (_: string, one: string) =>
      /^(protocol|collections|net)\/|^transport\/Connection\.ts$|^node:(net|os)$/.test(one)
    assert.deepStrictEqual(wrong(shared, allows), [])
  })

  it("above: nothing but the program imports the program, and transports not their service", () => {
    // The one door to it, for programs of one's own.
    const others = files.filter((file) => !file.startsWith("service/") && file !== "Service.ts")
    assert.deepStrictEqual(wrong(others, (_, one) => !one.startsWith("service/") && one !== "Service.ts"), [])
    const transports = files.filter((file) => file.startsWith("transport/"))
    assert.deepStrictEqual(wrong(transports, (_, one) => one !== "Transport.ts" && !one.startsWith("relay/")), [])
  })

  it("are of a size that one can hold in the head: 300 lines in the relay, 400 elsewhere", () => {
    const lines = (file: string) => readFileSync(join(src, file), "utf8").split("\n").length - 1
    const most = (file: string) => file.startsWith("relay/") ? 300 : 400
    assert.deepStrictEqual(files.filter((file) => lines(file) > most(file)).map((file) => relative(".", file)), [])
  })
})
