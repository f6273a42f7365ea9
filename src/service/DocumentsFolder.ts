/** The documents of the running package: beside its code, or in the folder of Debian. */
import { existsSync } from "node:fs"
import { fileURLToPath } from "node:url"

/** The documents of a Debian package, as examples/debian makes it. */
export const DEBIAN = "/usr/share/doc/msrp-relay"

const places = [fileURLToPath(new URL("../../docs", import.meta.url)), `${DEBIAN}/docs`]

/** The folder `docs`; undefined if it is not installed. */
export const documentsFolder = (): string | undefined => places.find((place) => existsSync(place))
