/** Files that variables name: what is not a file keeps nobody waiting. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Result from "effect/Result"
import { execFileSync } from "node:child_process"
import { symlinkSync, truncateSync, writeFileSync } from "node:fs"
import { MAX_OCTETS, readOctets, readText } from "../../../src/service/settings/TextFile.ts"

it.effect("a pipe, a device and what is too large are not read", () =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const folder = yield* fs.makeTempDirectoryScoped()
    const [file, large, pipe, loop] = [`${folder}/file`, `${folder}/large`, `${folder}/pipe`, `${folder}/loop`]
    writeFileSync(file, "text")
    writeFileSync(large, "")
    truncateSync(large, MAX_OCTETS + 1)
    execFileSync("mkfifo", [pipe])
    symlinkSync(loop, loop)
    const expected = [
      [file, Result.succeed("text")],
      [pipe, Result.fail("is not a file")],
      ["/dev/zero", Result.fail("is not a file")],
      [large, Result.fail(`is larger than ${MAX_OCTETS} octets`)],
      [`${folder}/none`, Result.fail("there is no such file")],
      [folder, Result.fail("the file cannot be used: it is a directory (EISDIR)")],
      [`${file}/below`, Result.fail("the file cannot be used: there is no such file (ENOTDIR)")],
      [loop, Result.fail("the file cannot be used: its symbolic links lead in a circle (ELOOP)")],
      [`${folder}/${"x".repeat(300)}`, Result.fail("the file cannot be used: the path is too long (ENAMETOOLONG)")]
    ] as const
    for (const [path, wanted] of expected) {
      assert.deepStrictEqual(yield* readText(path), wanted, path)
      const octets = yield* readOctets(path)
      assert.deepStrictEqual(Result.map(octets, (some) => Buffer.from(some).toString()), wanted, path)
    }
  }).pipe(Effect.provide(NodeFileSystem.layer)))
