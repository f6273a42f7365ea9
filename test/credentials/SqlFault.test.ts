/** What is said of faults that take a disk, another user or an administrator of the database to see. */
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

it("an account of MySQL or MariaDB that may not log in is told in words, and lasts: MariaDB's number for it has another name at the driver", () => {
  const words = [
    ["ER_ACCESS_DENIED_NO_PASSWORD_ERROR", "the user may not log in"],
    ["ER_ACCOUNT_HAS_BEEN_LOCKED", "the user may not log in"],
    ["ER_BULK_PARSER_INCOMPLETE_ESCAPE_SEQUENCE", "the user may not log in"],
    ["ER_MUST_CHANGE_PASSWORD", "the password has expired"],
    ["ER_MUST_CHANGE_PASSWORD_LOGIN", "the password has expired"]
  ] as const
  for (const [code, expected] of words) {
    const fault = faultOf(Object.assign(new Error("of MySQL"), { code }), [])
    assert.deepStrictEqual([fault.words, fault.lasting], [expected, true], code)
  }
})
