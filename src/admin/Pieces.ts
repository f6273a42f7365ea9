/**
 * Passes on what comes in on a socket in small pieces, so that Node parses at most one request in each. Node would parse all of a read
 * in one turn of the event loop: 64 KiB hold thousands of requests, and twenty such reads held up everybody else for seconds.
 */
import type * as Net from "node:net"

/** The most octets of a piece: a body may have thousands of chunks, too. */
export const MAX_PIECE = 512

/** The most octets that wait. Node has stopped reading then, but starts again by itself after some requests. */
export const MAX_WAITING = 262_144

const HEAD_END = "\r\n\r\n"

/** Octets of the next piece: up to the end of a head. */
const lengthOf = (octets: Buffer): number => {
  const end = octets.subarray(0, MAX_PIECE).indexOf(HEAD_END)
  return end < 0 ? MAX_PIECE : end + HEAD_END.length
}

/**
 * To be called when an HTTP server has the socket; each piece is passed on by a task of `later`, none once `isOver`: what comes then is
 * dropped, because only a socket that is read shows that its client has left. A pause of the socket would not do, because Node ends
 * it.
 */
export const passInPieces = (
  socket: Net.Socket,
  later: (task: () => void) => void,
  isOver: () => boolean = () => false
): void => {
  const push = socket.push.bind(socket)
  const read = socket._read.bind(socket)
  let waiting: Buffer = Buffer.alloc(0)
  let isEnded = false
  let isDue = false
  let dropped = 0
  const pass = (): void => {
    isDue = false
    if (socket.destroyed) return
    if (isOver()) {
      dropped += waiting.length
      waiting = Buffer.alloc(0)
      if (isEnded) push(null)
      else if (dropped > MAX_WAITING) socket.destroy()
      else read(0)
      return
    }
    const piece = waiting.subarray(0, lengthOf(waiting))
    waiting = waiting.subarray(piece.length)
    if (piece.length > 0) push(piece)
    else if (isEnded) push(null)
  }
  const passLater = (): void => {
    if (isDue) return
    isDue = true
    later(pass)
  }
  socket._read = (size) => {
    if (waiting.length > 0 || isEnded) passLater()
    else read(size)
  }
  socket.push = (octets: Buffer | null) => {
    if (octets === null) isEnded = true
    else waiting = waiting.length === 0 ? octets : Buffer.concat([waiting, octets])
    if (waiting.length > MAX_WAITING) socket.destroy()
    else passLater()
    // Stops reading until `_read` is called.
    return false
  }
  // Node's parser takes the octets from the operating system itself, unless somebody listens for them.
  socket.on("data", () => {})
}
