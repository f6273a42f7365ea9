/**
 * The functions of Node.js that the protocol and the client use. In browsers, `Browser.ts` replaces it, by the field `browser` of
 * package.json and by `src/browser/bundle.ts`.
 */
export { Buffer } from "node:buffer"
export { createHash, hash, randomFillSync, timingSafeEqual } from "node:crypto"
export { isIPv4, isIPv6 } from "node:net"

/** The URL that a package is loaded from. */
export const placeOf = (name: string): string => import.meta.resolve(name)
