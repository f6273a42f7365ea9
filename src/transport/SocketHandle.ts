/**
 * The private handle of a socket, by which Node calls the system. It is declared here alone: whoever uses it has to check that this
 * version of Node has the parts that are needed, and to do without them otherwise.
 */
import type * as Net from "node:net"

/** Each part may be missing. */
export interface SocketHandle {
  /** The file descriptor, on systems with descriptors. */
  readonly fd?: number
  readonly bytesRead?: number
  /** Octets that the system has not taken yet. */
  readonly writeQueueSize?: number
  readonly writeBuffer?: (request: object | null, octets: Uint8Array) => unknown
  /** Whether it is being read; kept by Node and not by the handle. */
  reading?: boolean
  readonly readStart?: () => number
  readonly readStop?: () => number
  readonly useUserBuffer?: (buffer: Buffer) => void
  /** For TLS: the handle of TCP below, which has the encrypted octets. */
  readonly _parent?: SocketHandle
  readonly getPeerCertificate?: (detailed: boolean) => unknown
  getPeerX509Certificate?: () => unknown
}

/** A socket with its handle, which is null once the socket is closed. */
export type WithHandle<Socket extends Net.Socket = Net.Socket> = Socket & { readonly _handle?: SocketHandle | null }

export const handleOf = (socket: Net.Socket): SocketHandle | null | undefined => (socket as WithHandle)._handle
