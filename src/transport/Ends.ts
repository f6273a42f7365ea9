/** Where a socket of Node's leads from and to. */
import type * as Net from "node:net"
import type { Address } from "./Connection.ts"

export interface Ends {
  readonly local: Address
  readonly remote: Address
}

/** IPv4 addresses as such, on a socket for both families too. */
const plain = (address: string): string => address.startsWith("::ffff:") ? address.slice(7) : address

/**
 * Whose a connection is counted as that has proved nothing yet: the address that it comes from. A proxy speaks for many, so each
 * of its connections counts by itself.
 */
export const placeOf = ({ remote: { host, port } }: Ends, isProxy: (address: string) => boolean): string =>
  isProxy(host) ? `${host}#${port}` : host

/** Both addresses of a socket; undefined when the peer has gone already. */
export const endsOf = ({ localAddress, localPort, remoteAddress, remotePort }: Net.Socket): Ends | undefined =>
  localAddress === undefined || localPort === undefined || remoteAddress === undefined || remotePort === undefined
    ? undefined
    : {
      local: { host: plain(localAddress), port: localPort },
      remote: { host: plain(remoteAddress), port: remotePort }
    }
