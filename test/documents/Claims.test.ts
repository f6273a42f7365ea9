/** What documents claim in numbers, or to be always or never so, is what the code has or a test proves: `claims/` says which. */
import { assert, describe, it } from "vitest"
import { running } from "./claims/running.ts"
import { security } from "./claims/security.ts"
import { textOf } from "./fences.ts"

/** A document as one line, without examples, and with tables whose columns have no padding. */
const lineOf = (path: string): string =>
  textOf(path).replaceAll(/^ *```.*?^ *```/gms, "").replaceAll(/ *\|$/gm, " |").replaceAll(/\s+/g, " ")

/** What has digits and claims nothing: code, links, sections, requirements, statuses, names. */
const names = [
  /`[^`]+`/g,
  /\]\([^)]*\)/g,
  /\bRFC \d+(?: sections? [\d.]+)?/g,
  /\bR\d{4}-[\w.-]+/g,
  /(?<![\d.,])(?:200|40[0-9]|413|415|42[136]|431|481|501|503|506)s?\b/g,
  // a step of several, and what examples call relays
  / \d\. (?=[A-Z§])/g,
  /\brelay\d\b/g,
  /\b(?:SHA-256|UTF-8|MD5|H\(A1\)s?|IPv6|HMAC-SHA1|V8)/g
]

/** Whether words are there, and not with a part of another number. */
const isIn = (words: string, line: string): boolean =>
  line.split(words).some((before, index, pieces) =>
    index + 1 < pieces.length && !/[\d.,]$/.test(before) && !/^[.,]?\d/.test(pieces[index + 1]!)
  )

const CLAIM =
  /\d|\b(?:always|never|twice)\b|\b(?:two|three|four|five|six|seven|eight|nine|ten|half an?) (?:second|minute|hour|day)/i

for (const [path, all] of Object.entries({ ...security, ...running })) {
  describe(path, () => {
    const line = lineOf(path)

    it("says what the code has", () => {
      assert.deepStrictEqual(
        all.map((claim) => typeof claim === "string" ? claim : claim.words).filter((words) => !isIn(words, line)),
        []
      )
    })

    it("names tests that there are", () => {
      const named = all.flatMap((claim) => typeof claim !== "string" && "file" in claim ? [claim] : [])
      assert.deepStrictEqual(named.filter(({ file, title }) => !textOf(file).includes(title)), [])
    })

    it("claims nothing else in numbers, and nothing else to be always or never so", () => {
      const proven = all.map((claim) => typeof claim === "string" ? claim : claim.words)
      const rest = [...proven, ...names].reduce<string>((text, one) => text.replaceAll(one, "§"), line)
      assert.deepStrictEqual(rest.split(/(?<=[.:;?!]) | \| /).filter((words) => CLAIM.test(words)), [])
    })
  })
}
