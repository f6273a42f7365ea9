import { assert, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { digestLimits } from "../../src/protocol/digest/Parameters.ts"
import { defaultFrameLimits } from "../../src/protocol/FrameLimits.ts"
import { MAX_MESSAGE_ID } from "../../src/protocol/Grammar.ts"
import { MAX_HOST_OCTETS, MAX_URI_OCTETS } from "../../src/protocol/Uri.ts"

it("docs/configuration.md tells users the limits of a message as they are", () => {
  const text = readFileSync(new URL("../../docs/configuration.md", import.meta.url), "utf8")
  const rows = text.slice(text.indexOf("## What a message may be")).split("\n").filter((line) => line.startsWith("| "))
  const told = Object.fromEntries(
    rows.slice(2).map((row) => {
      const [, part, most] = row.split("|").map((cell) => cell.trim())
      return [part, most!.replaceAll(",", "").match(/\d+/g)?.map(Number) ?? []]
    })
  )
  assert.deepStrictEqual(told, {
    "start line": [defaultFrameLimits.startLine],
    "one header line, To-Path and From-Path too": [defaultFrameLimits.headerLine],
    "start line and all header lines": [defaultFrameLimits.headerSection],
    "header lines": [defaultFrameLimits.headers],
    "URIs in To-Path, and in From-Path": [defaultFrameLimits.pathUris],
    "one URI; its host": [MAX_URI_OCTETS, MAX_HOST_OCTETS],
    "transaction id": [4, 32],
    "Message-ID": [MAX_MESSAGE_ID],
    "value of Authorization, and each parameter of it": [digestLimits.header, digestLimits.value],
    "numbers in Byte-Range": [15],
    "body of a SEND, message": [],
    "body of any other request": [defaultFrameLimits.nonSendBody]
  })
})
