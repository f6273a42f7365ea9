/** Where a socket of Node's leads from and to. */
import type * as Net from "node:net"
import { plainAddress } from "../net/Hosts.ts"
import type { Address } from "./Connection.ts"

export interface Ends {
  readonly local: Address
  readonly remote: Address
}

/**
 * Whose a connection is counted as that has proved nothing yet: the address that it comes from. A proxy speaks for many, so each
 * of its connections counts by itself.
 */
export const placeOf = ({ remote: { host, port } }: Ends, isProxy: (address: string) => boolean): string =>
  isProxy(host) ? `${host}#${port}` : host

/** Both addresses of a socket, those of IPv4 as such on one for both families too; undefined when the peer has gone already. */
export const endsOf = ({ localAddress, localPort, remoteAddress, remotePort }: Net.Socket): Ends | undefined =>
  localAddress === undefined || localPort === undefined || remoteAddress === undefined || remotePort === undefined
    ? undefined
    : {
      local: { host: plainAddress(localAddress), port: localPort },
      remote: { host: plainAddress(remoteAddress), port: remotePort }
    }
