/**
 * Where clients may make the relay connect to (RFC 4976 §6.4, RFC 4975 §14.5). The owner of a session may name any next hop, and
 * must not reach through the relay what is meant for its machine or network only.
 *
 * Both the URI and each address that its host resolves to are checked, so a name that begins to lead inside is of no use.
 */
import { BlockList, isIP, isIPv6 } from "node:net"
import { canonicalAddress, machineAddresses } from "../../net/Addresses.ts"
import { isAddressOrNetwork } from "../../net/AddressList.ts"
import { hostName, isHostPattern, isLoopback, isWildcard } from "../../net/Hosts.ts"
import type { MsrpUri } from "../../protocol/Uri.ts"
import type { LocalSocket } from "../../transport/Connection.ts"

/**
 * Where clients may make the relay connect to.
 *
 * @category options
 * @since 0.1.0
 */
export interface NextHopOptions {
  /**
   * Addresses, networks (`10.0.0.0/8`), names, and `*.` names that are allowed whatever the other options say. An address in
   * another form (mapped into IPv6, through NAT64 or 6to4, unspecified) counts as the address that it leads to.
   */
  readonly allow?: ReadonlyArray<string> | undefined
  /** Addresses, networks and names that are refused unless `allow` has them. */
  readonly deny?: ReadonlyArray<string> | undefined
  /**
   * Ports that may be connected to, on hosts that `allow` does not have. Default: all if the relay listens on loopback only, else
   * `defaultNextHopPorts`.
   */
  readonly ports?: ReadonlyArray<PortRange> | undefined
  /**
   * Hosts of URIs, in the forms of `allow`, that get a connection for each session, although connections should be reused
   * (RFC 4975 §5.4): endpoints such as FreeSWITCH, which treat everything on a connection as part of its first session.
   */
  readonly alone?: ReadonlyArray<string> | undefined
}

/**
 * A range of ports that includes both ends.
 *
 * @category models
 * @since 0.2.0
 */
export interface PortRange {
  readonly first: number
  readonly last: number
}

/**
 * MSRP endpoints use ports that need no privileges, or 443. Services on other ports might take a message for commands of their
 * own protocol.
 */
export const defaultNextHopPorts: ReadonlyArray<PortRange> = [{ first: 443, last: 443 }, { first: 1024, last: 65_535 }]

/** Private networks, special-purpose addresses (RFC 6890 and its registry), and the prefixes by which a gateway reaches either. */
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

/** Whether this may be an entry of `allow`, `deny` or `alone`. */
export const isNextHopRule = (text: string): boolean =>
  isAddressOrNetwork(text) || (isIP(text) === 0 && isHostPattern(text) && /[a-z]/i.test(text))

/** Whether this may be a range of ports. */
export const isPortRange = ({ first, last }: PortRange): boolean =>
  Number.isInteger(first) && Number.isInteger(last) && first >= 1 && first <= last && last <= 65_535

class Rules {
  readonly #addresses = new BlockList()
  readonly #names: Array<string> = []

  constructor(rules: ReadonlyArray<string>) {
    for (const rule of rules) {
      const [address, prefix] = rule.split("/")
      if (isIP(address!) === 0) this.#names.push(hostName(rule))
      else if (prefix === undefined) this.#addAddress(address!)
      else this.#addresses.addSubnet(address!, Number(prefix), familyOf(address!))
    }
  }

  coversName(host: string): boolean {
    const name = hostName(host)
    return this.#names.some((one) => one.startsWith("*.") ? name.endsWith(one.slice(1)) : name === one)
  }

  /** Whether a rule has the address, in this form or as what it leads to. */
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
  /** The addresses of the relay's listeners by port: it must not connect to itself. */
  readonly #own = new Map<number, Rules>()
  /** Addresses of its URIs and listeners, which lead to this machine even if no interface has them, as behind a NAT. */
  readonly #named: Rules
  readonly #machine: () => ReadonlyArray<string>

  /**
   * If the relay listens on loopback only, everything is allowed except the relay itself, because only this machine can use it.
   * `hosts` are those of its URIs; `machine` gives the addresses that the machine has now.
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

  /** The options from now on; existing connections stay. */
  set options({ allow = [], alone = [], deny = [], ports }: NextHopOptions) {
    this.#allow = new Rules(allow)
    this.#alone = new Rules(alone)
    this.#deny = new Rules(deny)
    this.#ports = ports ?? (this.#inner === undefined ? undefined : defaultNextHopPorts)
  }

  /** Whether it is an endpoint that gets a connection for each session. */
  wantsEachAlone({ host }: MsrpUri): boolean {
    return this.#alone.coversName(host) || (isIP(host) !== 0 && this.#alone.coversAddress(host))
  }

  /** Whether the URI is allowed, as far as that is known before its host is resolved. */
  admitsUri({ host, port }: MsrpUri): boolean {
    if (this.#allow.coversName(host)) return true
    if (this.#deny.coversName(host) || (port !== undefined && this.#own.get(port)?.coversName(host) === true)) {
      return false
    }
    // A name may resolve to an allowed address, for which the port does not matter.
    return isIP(host) === 0 || port === undefined || this.admitsAddress([host], host, port)
  }

  /** Whether the address may be connected to; `names`: the host of the URI, and the SRV target that has the address (RFC 2782). */
  admitsAddress(names: ReadonlyArray<string>, address: string, port: number): boolean {
    if (names.some((name) => this.#allow.coversName(name)) || this.#allow.coversAddress(address)) return true
    if (this.#ports?.every(({ first, last }) => port < first || port > last) === true) return false
    const own = this.#own.get(port)
    if (names.some((name) => this.#deny.coversName(name) || own?.coversName(name) === true)) return false
    // Connecting to the unspecified address connects to this machine.
    if (own !== undefined && (isWildcard(address) || own.coversAddress(address))) return false
    return !this.#deny.coversAddress(address) && !this.#isInside(address)
  }

  /** Whether it leads to this machine or its network, whose services are not meant for everybody. */
  #isInside(address: string): boolean {
    if (this.#inner === undefined) return false
    if (this.#inner.coversAddress(address) || this.#named.coversAddress(address)) return true
    const canonical = canonicalAddress(address)
    return this.#machine().some((one) => canonicalAddress(one) === canonical)
  }
}
