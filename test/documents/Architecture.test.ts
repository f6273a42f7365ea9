/** Files that documents name are there, and docs/architecture.md names all of the relay's. */
import { existsSync, readdirSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "vitest"
import { documents, fencesIn, root, textOf } from "./fences.ts"

describe("files in documents", () => {
  it("are there", () => {
    const named = documents.filter((path) => path !== "CHANGELOG.md").flatMap((path) =>
      [...textOf(path).matchAll(/`((?:src|test|bench|examples|docs|\.ci)\/[\w./-]*\w\/?)`/g)].map(([, file]) => ({
        path,
        file: file!
      }))
    )
    assert.isAbove(named.length, 60)
    // `npm run docs` makes that.
    const missing = named.filter(({ file }) => file !== "docs/api/" && !existsSync(join(root, file)))
    assert.deepStrictEqual(missing, [])
  })

  it("are, on the floors of docs/architecture.md, those of src/relay", () => {
    const floors = fencesIn("docs/architecture.md").find(({ code }) => code.includes("relay/edge/"))!.code
    let folder = ""
    const told = floors.split("\n").flatMap((line) => {
      const [, floor, one] = /^(relay\/(?:\w+\/)?|)(?:(\w+) {2}.*|.*)$/.exec(line) ?? []
      if (floor !== "" && floor !== undefined) {
        folder = floor
        return one === undefined ? [] : [`${floor}${one}`]
      }
      const [, names] = /^ {2}(\w+(?:, \w+)*) {2,}/.exec(line) ?? []
      return names?.split(", ").map((name) => `${folder}${name}`) ?? []
    })
    const files = readdirSync(join(root, "src/relay"), { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".ts")).map((file) => `relay/${file.slice(0, -3)}`)
    assert.deepStrictEqual({
      gone: told.filter((one) => !files.includes(one)),
      untold: files.filter((one) => !told.includes(one))
    }, { gone: [], untold: [] })
  })
})
