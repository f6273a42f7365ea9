/** What is said of what SQLite says, where that takes a disk or another user to see it. */
import { assert, it } from "@effect/vitest"
import { faultOf } from "../../src/credentials/SqlFault.ts"

it("a file that cannot be read without being written to, and a disk that is full, are told in words, for as long as they are so", () => {
  // SQLITE_READONLY_CANTINIT, _RECOVERY and _ROLLBACK; SQLITE_FULL; SQLITE_PROTOCOL, and SQLITE_LOCKED_SHAREDCACHE.
  const journal = "its journal cannot be written: this user may not write in its folder"
  // SQLITE_IOERR_SHMSIZE, _SHMMAP and _WRITE: what a disk without room says to who opens a file in WAL mode; SQLITE_IOERR_READ.
  const full = "its journal cannot be written: its disk is full, or fails"
  const read = "the file cannot be read"
  const words = [
    [4874, full],
    [5386, full],
    [778, full],
    [266, read],
    [1288, journal],
    [264, journal],
    [776, journal],
    [13, "its disk is full"],
    [15, "it is locked"],
    [
      262,
      "it is locked"
    ]
  ] as const
  for (const [errcode, expected] of words) {
    const fault = faultOf(Object.assign(new Error("of SQLite"), { code: "ERR_SQLITE_ERROR", errcode }), [])
    assert.deepStrictEqual([fault.words, fault.lasting], [expected, false], `${errcode}`)
  }
})
