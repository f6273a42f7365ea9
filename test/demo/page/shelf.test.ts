import { assert, it } from "vitest"
import { MAX_KEPT, Shelf } from "../../../src/demo/page/shelf.ts"

/** One that says that it is so large. */
const sized = (size: number): Blob =>
  new Proxy(new Blob([]), {
    get: (target, key) => key === "size" ? size : key === "slice" ? () => target : Reflect.get(target, key)
  })

it("keeps so much, of which the oldest goes first; what was dropped makes room", () => {
  const shelf = new Shelf()
  const gone: Array<string> = []
  const put = (name: string, size: number): string => shelf.put(sized(size), () => gone.push(name))
  put("a", MAX_KEPT / 2)
  const b = put("b", MAX_KEPT / 2)
  assert.deepStrictEqual(gone, [])
  put("c", 1)
  assert.deepStrictEqual(gone, ["a"])
  shelf.drop(b)
  shelf.drop(b)
  put("d", MAX_KEPT - 1)
  assert.deepStrictEqual(gone, ["a", "b"])
  put("e", 2 * MAX_KEPT)
  assert.deepStrictEqual(gone, ["a", "b", "c", "d"])
})

it("a link is to octets, whatever their sender says that they are", async () => {
  const url = new Shelf().put(new Blob(["<script>"], { type: "text/html" }), () => {})
  const response = await fetch(url)
  assert.strictEqual(response.headers.get("content-type"), "application/octet-stream")
  assert.strictEqual(await response.text(), "<script>")
})
