/**
 * What the protocol and the client need of the platform, from Node. In a browser `Browser.ts` stands in its place: the
 * field `browser` of package.json, and `src/browser/bundle.ts`, put it there.
 */
export { Buffer } from "node:buffer"
export { createHash, hash, randomFillSync, timingSafeEqual } from "node:crypto"
export { isIPv4, isIPv6 } from "node:net"
