/** A chunk that is sent on while it is still coming in, in one or more pieces, each of which is a transaction. */
export interface LongChunk {
  /** Octets of the open piece so far. */
  readonly pieceLength: number
  /** Ends the open piece, so that something else can be written; the chunk goes on in a further piece. */
  interrupt(): void
  /** Sends no more of it, because a piece has failed, which was reported already. */
  refuse(why: string): void
}
