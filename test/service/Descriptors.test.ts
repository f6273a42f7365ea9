import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import { execFileSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { descriptorLimits, descriptorNeed, descriptorWarning, formatLimits } from "../../src/service/Descriptors.ts"

const withLimits = (text: string) =>
  Effect.provide(FileSystem.layerNoop({ readFileString: () => Effect.succeed(text) }))
const TABLE = `\
Limit                     Soft Limit           Hard Limit           Units
Max processes             unlimited            unlimited            processes
Max open files            1024                 unlimited            files
`

const listen = [
  { scheme: "msrp", host: "127.0.0.1", port: 2855 },
  { scheme: "msrps", host: "127.0.0.1", port: 2856 }
] as const

describe("descriptors", () => {
  it.effect("are as the system has them", () =>
    Effect.gen(function*() {
      const limits = yield* descriptorLimits.pipe(withLimits(TABLE))
      assert.deepStrictEqual(limits, Option.some({ soft: 1024, hard: Infinity }))
      assert.strictEqual(formatLimits(Option.getOrThrow(limits)), "1024/unlimited")
      assert.isTrue(Option.isNone(yield* descriptorLimits.pipe(withLimits("nothing of the kind"))))
    }))

  it.effect("of this process are read", () =>
    Effect.gen(function*() {
      const { hard, soft } = Option.getOrThrow(yield* descriptorLimits)
      assert.isAbove(soft, 100)
      assert.isAtLeast(hard, soft)
    }).pipe(Effect.provide(NodeFileSystem.layer)))

  it("may be as many as the hard limit: Node raises the soft one when it starts", () => {
    const limits = readFileSync("/proc/self/limits", "utf8")
    const [, hard] = /^Max open files\s+\d+\s+(\d+)/m.exec(limits) ?? []
    const script = `ulimit -Sn 300 && exec '${process.execPath}' -p 'fs.readFileSync("/proc/self/limits", "utf8")'`
    const raised = execFileSync("sh", ["-c", script], { encoding: "utf8" })
    assert.match(raised, new RegExp(`^Max open files\\s+${hard}\\s+${hard}\\s`, "m"))
  })

  it("are needed for connections, handshakes of each listener with TLS, dials and others", () => {
    const limits = { connections: 1000, connectionsInProbation: 100, dials: 10 }
    const need = descriptorNeed({ relay: { listen, uris: [], sessions: {}, limits } })
    assert.deepStrictEqual(need, { connections: 1000, handshakes: 100, dials: 80, others: 232, total: 1412 })
    assert.strictEqual(
      descriptorNeed({ relay: { listen: listen.slice(0, 1), uris: [], sessions: {}, limits } }).handshakes,
      0
    )
    assert.isUndefined(descriptorWarning({ soft: 1412, hard: 1412 }, need))
    assert.match(
      descriptorWarning({ soft: 1411, hard: 1411 }, need)!,
      /^1411 files .*=1000 may need 1412.*LimitNOFILE=1412/
    )
    assert.match(descriptorWarning({ soft: 1411, hard: 5000 }, need)!, /Raise the soft limit \(ulimit -Sn 1412\)/)
  })
})
