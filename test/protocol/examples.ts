/** The byte-exact messages in `test/fixtures`, with what its index says about each. */
import { readFileSync } from "node:fs"

export interface Example {
  readonly file: string
  readonly octets: number
  readonly sha256: string
  /** The start line. */
  readonly start: string
  /** Header lines, with the two paths. */
  readonly headers: number
  /** Octets of body; null for none. */
  readonly body: number | null
  readonly flag: string
}

const folder = new URL("../fixtures/", import.meta.url)

export const examples: ReadonlyArray<Example> = JSON.parse(readFileSync(new URL("index.json", folder), "latin1"))

export const example = (file: string): Buffer => readFileSync(new URL(file, folder))
