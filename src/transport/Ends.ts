/** Where a socket of Node's leads from and to. */
import type * as Net from "node:net"
import type { Address } from "./Connection.ts"

export interface Ends {
  readonly local: Address
  readonly remote: Address
}

/** IPv4 addresses as such, on a socket for both families too. */
const plain = (address: string): string => address.startsWith("::ffff:") ? address.slice(7) : address

/** Both addresses of a socket; undefined when the peer has gone already. */
export const endsOf = ({ localAddress, localPort, remoteAddress, remotePort }: Net.Socket): Ends | undefined =>
  localAddress === undefined || localPort === undefined || remoteAddress === undefined || remotePort === undefined
    ? undefined
    : {
      local: { host: plain(localAddress), port: localPort },
      remote: { host: plain(remoteAddress), port: remotePort }
    }
