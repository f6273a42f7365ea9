/** The version of this program, as its package has it. */
import { readFileSync } from "node:fs"

const { version: ofPackage } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"))

export const version: string = ofPackage
