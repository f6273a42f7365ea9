/**
 * Where the relay may be made to connect to (RFC 4976 §6.4, RFC 4975 §14.5). The owner of a session may name any next
 * hop, and must not reach by it what only this machine or its network can reach.
 *
 * Asked twice: for the URI, and for each address that its host turns out to have, so that a name which leads inside is
 * of no use, whatever it led to a moment ago.
 */
import { BlockList, isIP, isIPv6 } from "node:net"
import { canonicalAddress, machineAddresses } from "../../net/Addresses.ts"
import { isLoopback, isWildcard } from "../../net/Hosts.ts"
import { canonicalHost, type MsrpUri } from "../../protocol/Uri.ts"
import type { LocalSocket } from "../../transport/Connection.ts"

/**
 * Where clients may make the relay connect to.
 *
 * @category options
 * @since 0.1.0
 */
export interface NextHopOptions {
  /**
   * Addresses, networks (`10.0.0.0/8`), names, and `*.` names: allowed, whatever else is said. An address in another form
   * (mapped into IPv6, through NAT64 or 6to4, unspecified) counts as the one that it leads to.
   */
  readonly allow?: ReadonlyArray<string> | undefined
  /** The same: refused, if not allowed. */
  readonly deny?: ReadonlyArray<string> | undefined
  /**
   * Ports that may be connected to, of any host that `allow` does not have. Absent: all where the relay listens on
   * loopback only, else `defaultNextHopPorts`.
   */
  readonly ports?: ReadonlyArray<PortRange> | undefined
  /**
   * As `allow`, of the host as the URI has it: endpoints that take whatever comes on a connection for the session that was first
   * there, as FreeSWITCH does. Each session gets a connection of its own to them, though connections should be used again
   * (RFC 4975 §5.4).
   */
  readonly alone?: ReadonlyArray<string> | undefined
}

/** Both ends are in it. */
export interface PortRange {
  readonly first: number
  readonly last: number
}

/**
 * MSRP has no port of its own, and is found on those that a program without privileges gets, or on 443. Behind the others
 * are services that might take a message for commands in their own language.
 */
export const defaultNextHopPorts: ReadonlyArray<PortRange> = [{ first: 443, last: 443 }, { first: 1024, last: 65_535 }]

/** Networks of one's own, addresses that are nobody's (RFC 6890 and its registry), and ways to either through a gateway. */
const INNER = [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "224.0.0.0/4",
  "240.0.0.0/4",
  "::/96",
  "64:ff9b::/96",
  "64:ff9b:1::/48",
  "2001::/32",
  "2002::/16",
  "fc00::/7",
  "fe80::/10",
  "fec0::/10",
  "ff00::/8"
]

/** What an entry of a list may be. */
export const isNextHopRule = (text: string): boolean => {
  const [address, prefix, ...rest] = text.split("/")
  if (rest.length > 0 || address === undefined) return false
  if (isIP(address) === 0) {
    return prefix === undefined && /^(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?$/i.test(text) && /[a-z]/i.test(text)
  }
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= (isIPv6(address) ? 128 : 32))
}

/** What a range of ports may be. */
export const isPortRange = ({ first, last }: PortRange): boolean =>
  Number.isInteger(first) && Number.isInteger(last) && first >= 1 && first <= last && last <= 65_535

class Rules {
  readonly #addresses = new BlockList()
  readonly #names: Array<string> = []

  constructor(rules: ReadonlyArray<string>) {
    for (const rule of rules) {
      const [address, prefix] = rule.split("/")
      if (isIP(address!) === 0) this.#names.push(canonicalHost(rule).replace(/\.$/, ""))
      else if (prefix === undefined) this.#addAddress(address!)
      else this.#addresses.addSubnet(address!, Number(prefix), familyOf(address!))
    }
  }

  coversName(host: string): boolean {
    const name = canonicalHost(host).replace(/\.$/, "")
    return this.#names.some((one) => one.startsWith("*.") ? name.endsWith(one.slice(1)) : name === one)
  }

  /** As it is, or as what it leads to. */
  coversAddress(address: string): boolean {
    const canonical = canonicalAddress(address)
    return this.#addresses.check(canonical, familyOf(canonical)) ||
      (canonical !== address && this.#addresses.check(address, familyOf(address)))
  }

  #addAddress(address: string): void {
    for (const one of new Set([address, canonicalAddress(address)])) this.#addresses.addAddress(one, familyOf(one))
  }
}

const familyOf = (address: string): "ipv4" | "ipv6" => isIPv6(address) ? "ipv6" : "ipv4"

export class NextHops {
  #allow!: Rules
  #deny!: Rules
  #alone!: Rules
  readonly #inner: Rules | undefined
  #ports: ReadonlyArray<PortRange> | undefined
  /** The relay's own addresses by port: it must not talk to itself. */
  readonly #own = new Map<number, Rules>()
  /** Addresses of its URIs and listeners: they lead to this machine, also where no interface has them, as behind a NAT. */
  readonly #named: Rules
  readonly #machine: () => ReadonlyArray<string>

  /**
   * Where the relay listens on loopback only, nobody but this machine can be harmed: all is allowed but the relay itself.
   * `hosts`: those of its URIs. `machine`: the addresses that the machine has now.
   */
  constructor(
    options: NextHopOptions,
    listeners: ReadonlyArray<LocalSocket>,
    hosts: ReadonlyArray<string> = [],
    machine: () => ReadonlyArray<string> = machineAddresses
  ) {
    const outside = listeners.filter(({ host }) => !isLoopback(host))
    this.#inner = outside.length === 0 ? undefined : new Rules(INNER)
    const named = [...hosts, ...listeners.map(({ host }) => host)]
    this.#named = new Rules(named.filter((host) => isIP(host) !== 0 && !isWildcard(host)))
    this.#machine = machine
    this.options = options
    for (const port of new Set(listeners.map((one) => one.port))) {
      const own = listeners.filter((one) => one.port === port)
        .flatMap(({ host }) => isWildcard(host) ? machine() : [host])
      this.#own.set(port, new Rules(own))
    }
  }

  /** What is allowed and refused from now on; connections that there are stay. */
  set options({ allow = [], alone = [], deny = [], ports }: NextHopOptions) {
    this.#allow = new Rules(allow)
    this.#alone = new Rules(alone)
    this.#deny = new Rules(deny)
    this.#ports = ports ?? (this.#inner === undefined ? undefined : defaultNextHopPorts)
  }

  /** Is it an endpoint that gets a connection for each session. */
  wantsEachAlone({ host }: MsrpUri): boolean {
    return this.#alone.coversName(host) || (isIP(host) !== 0 && this.#alone.coversAddress(host))
  }

  /** As far as it can be told from the URI. */
  admitsUri({ host, port }: MsrpUri): boolean {
    if (this.#allow.coversName(host)) return true
    if (this.#deny.coversName(host) || (port !== undefined && this.#own.get(port)?.coversName(host) === true)) {
      return false
    }
    // The address of a name may be one that is allowed, with every port.
    return isIP(host) === 0 || port === undefined || this.admitsAddress([host], host, port)
  }

  /** May this address be connected to that goes by these names: of the URI, and of the host that serves it (RFC 2782). */
  admitsAddress(names: ReadonlyArray<string>, address: string, port: number): boolean {
    if (names.some((name) => this.#allow.coversName(name)) || this.#allow.coversAddress(address)) return true
    if (this.#ports?.every(({ first, last }) => port < first || port > last) === true) return false
    const own = this.#own.get(port)
    if (names.some((name) => this.#deny.coversName(name) || own?.coversName(name) === true)) return false
    // To connect to "all addresses" is to connect to this machine.
    if (own !== undefined && (isWildcard(address) || own.coversAddress(address))) return false
    return !this.#deny.coversAddress(address) && !this.#isInside(address)
  }

  /** It leads to this machine or its network, on whatever port: what listens there was not meant for everybody. */
  #isInside(address: string): boolean {
    if (this.#inner === undefined) return false
    if (this.#inner.coversAddress(address) || this.#named.coversAddress(address)) return true
    const canonical = canonicalAddress(address)
    return this.#machine().some((one) => canonicalAddress(one) === canonical)
  }
}
