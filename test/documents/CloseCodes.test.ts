/** The close codes of docs/websocket.md are those that the relay sends. */
import { assert, describe, it } from "vitest"
import { closeReasonOf, closeReasons, type Closing } from "../../src/relay/Closing.ts"
import { closeCodeOf } from "../../src/transport/websocket/WebSocketConnection.ts"
import { textOf } from "./fences.ts"

describe("close codes in docs/websocket.md", () => {
  const section = /^## Close codes\n(.*?)^## /ms.exec(textOf("docs/websocket.md"))![1]!
  const rows = [...section.matchAll(/^\| (\d{4}) \| (.*)$/gm)].map(([, code, when]) => ({
    code: Number(code),
    words: [...when!.matchAll(/`([^`]+)`/g)].map(([, words]) => words!)
  }))

  it("are all there", () => {
    assert.deepStrictEqual(rows.map(({ code }) => code), Object.values(closeCodeOf))
  })

  it("have the reasons that the relay closes with, each once", () => {
    assert.deepStrictEqual(rows.flatMap(({ words }) => words).sort(), Object.keys(closeReasons).sort())
    for (const { code, words } of rows) {
      for (const one of words) assert.strictEqual(closeCodeOf[closeReasonOf(one as Closing)], code, one)
    }
  })
})
