/** Lists of addresses and networks, such as `10.0.0.0/8`. */
import { BlockList, isIP, isIPv6 } from "node:net"
import { canonicalHost } from "../protocol/Uri.ts"

/** Whether this may be an entry of a list. */
export const isAddressOrNetwork = (text: string): boolean => {
  const [address = "", prefix, ...more] = text.split("/")
  const isPrefix = prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= (isIPv6(address) ? 128 : 32))
  return isIP(address) !== 0 && isPrefix && more.length === 0
}

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
