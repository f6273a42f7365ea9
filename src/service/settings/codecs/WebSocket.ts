/** Codecs of origins that may connect by WebSocket, and of trusted proxies. */
import * as Result from "effect/Result"
import { BlockList, isIP, isIPv6 } from "node:net"
import { canonicalHost } from "../../../protocol/Uri.ts"
import { fromParse, type TextCodec } from "./Codec.ts"
import { each } from "./List.ts"

/** Origins of pages, as browsers send them; `*` for any. */
export const origins: TextCodec<ReadonlyArray<string> | "*"> = fromParse<ReadonlyArray<string> | "*">(
  (text) =>
    text === "*" ? Result.succeed("*") : each<string>(text, (one) => {
      if (!/^https?:\/\/[^/]+$/i.test(one) || !URL.canParse(one)) {
        return Result.fail("is not an origin such as https://chat.example.com, without a path")
      }
      return Result.succeed(new URL(one).origin)
    }),
  (list) => list === "*" ? list : list.join(",")
)

/** Makes a predicate for origins from such a list. */
export const admitting = (list: ReadonlyArray<string> | "*"): (origin: string) => boolean => {
  if (list === "*") return () => true
  const all = new Set(list)
  return (origin) => URL.canParse(origin) && all.has(new URL(origin).origin)
}

/** Addresses and networks. */
export const networks: TextCodec<ReadonlyArray<string>> = fromParse<ReadonlyArray<string>>(
  (text) =>
    each<string>(text, (one) => {
      const [address = "", prefix, ...more] = one.split("/")
      const bits = isIPv6(address) ? 128 : 32
      const isPrefix = prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= bits)
      return isIP(address) !== 0 && isPrefix && more.length === 0
        ? Result.succeed(one)
        : Result.fail("is not an address or network")
    }),
  (list) => list.join(",")
)

const familyOf = (address: string): "ipv4" | "ipv6" => isIPv6(address) ? "ipv6" : "ipv4"

/** Makes a predicate for addresses that are, or are in, one of these. */
export const within = (list: ReadonlyArray<string>): (address: string) => boolean => {
  const all = new BlockList()
  for (const one of list) {
    const [address = "", prefix] = one.split("/")
    if (prefix === undefined) all.addAddress(address, familyOf(address))
    else all.addSubnet(address, Number(prefix), familyOf(address))
  }
  return (address) => {
    const plain = canonicalHost(address)
    return isIP(plain) !== 0 && all.check(plain, familyOf(plain))
  }
}
