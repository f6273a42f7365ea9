import { assert, it } from "@effect/vitest"
import { citations } from "./citations.ts"

it("ids in titles, in every form", () => {
  const of = (title: string, ...ids: Array<string>) => assert.deepStrictEqual(citations(title), ids)
  of("R4976-6.4.1-13 R2782-01: x", "R4976-6.4.1-13", "R2782-01")
  of(
    "x (R4976-6.4.1-01..03, 6.4-14, R4975-7-09..10)",
    "R4976-6.4.1-01",
    "R4976-6.4.1-02",
    "R4976-6.4.1-03",
    "R4976-6.4-14",
    "R4975-7-09",
    "R4975-7-10"
  )
  of("x (R4976-A-01, X22, C-35, 2026-01-02)", "R4976-A-01")
  of("of 2026-11-24, RFC 4976 §6-01")
})
