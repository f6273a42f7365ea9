/** Files that variables name: what is not a file keeps nobody waiting. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Result from "effect/Result"
import { execFileSync } from "node:child_process"
import { truncateSync, writeFileSync } from "node:fs"
import { MAX_OCTETS, readOctets, readText } from "../../../src/service/settings/TextFile.ts"

it.effect("a pipe, a device and what is too large are not read", () =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const folder = yield* fs.makeTempDirectoryScoped()
    const [file, large, pipe] = [`${folder}/file`, `${folder}/large`, `${folder}/pipe`]
    writeFileSync(file, "text")
    writeFileSync(large, "")
    truncateSync(large, MAX_OCTETS + 1)
    execFileSync("mkfifo", [pipe])
    const expected = [
      [file, Result.succeed("text")],
      [pipe, Result.fail("is not a file")],
      ["/dev/zero", Result.fail("is not a file")],
      [large, Result.fail(`is larger than ${MAX_OCTETS} octets`)],
      [`${folder}/none`, Result.fail("there is no such file")],
      [folder, Result.fail("the file cannot be used: it is a directory (EISDIR)")]
    ] as const
    for (const [path, wanted] of expected) {
      assert.deepStrictEqual(yield* readText(path), wanted, path)
      const octets = yield* readOctets(path)
      assert.deepStrictEqual(Result.map(octets, (some) => Buffer.from(some).toString()), wanted, path)
    }
  }).pipe(Effect.provide(NodeFileSystem.layer)))
