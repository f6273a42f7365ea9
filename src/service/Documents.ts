/** Where the documents are of the package that runs: beside its code, or where Debian has documents. */
import { existsSync } from "node:fs"
import { fileURLToPath } from "node:url"

/** Of a package that examples/debian makes. */
export const DEBIAN = "/usr/share/doc/msrp-relay"

const places = [fileURLToPath(new URL("../../docs", import.meta.url)), `${DEBIAN}/docs`]

/** The folder `docs`; `undefined` where somebody has left it out. */
export const documentsFolder = (): string | undefined => places.find((place) => existsSync(place))
