/** The local and the remote address of a Node socket. */
import type * as Net from "node:net"
import { plainAddress } from "../net/Hosts.ts"
import type { Address } from "./Connection.ts"

export interface SocketAddresses {
  readonly local: Address
  readonly remote: Address
  /** As in `ConnectionFacts`. */
  readonly hidden?: boolean | undefined
}

/**
 * The key under which a connection counts against per-address limits until it is fully open: its remote address. A proxy
 * connects for many clients, so each of its connections has a key of its own.
 */
export const sourceOf = ({ remote: { host, port } }: SocketAddresses, isProxy: (address: string) => boolean): string =>
  isProxy(host) ? `${host}#${port}` : host

/**
 * Both addresses of a socket, IPv4-mapped IPv6 addresses as IPv4 (RFC 4291 §2.5.5.2); undefined if the peer has disconnected
 * already.
 */
export const socketAddresses = (
  { localAddress, localPort, remoteAddress, remotePort }: Net.Socket
): SocketAddresses | undefined =>
  localAddress === undefined || localPort === undefined || remoteAddress === undefined || remotePort === undefined
    ? undefined
    : {
      local: { host: plainAddress(localAddress), port: localPort },
      remote: { host: plainAddress(remoteAddress), port: remotePort }
    }
