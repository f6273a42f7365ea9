/** Where frames end in octets that are written piece by piece: what a peer on a WebSocket has to tell its connection. */

/** Reads with a reader of its own, as the peers do. */
export class Framer {
  #text = ""

  /** The offsets in these octets behind the last octet of a frame. */
  ends(octets: Uint8Array): ReadonlyArray<number> {
    const before = this.#text.length
    let text = this.#text + Buffer.from(octets).toString("latin1")
    const ends: Array<number> = []
    let gone = 0
    for (;;) {
      const id = /^MSRP (\S+) /.exec(text)?.[1]
      if (id === undefined) break
      const line = text.indexOf("\r\n")
      const mark = new RegExp(`\r\n-------${id.replaceAll(/[.+*?^$()[\]{}|\\]/g, "\\$&")}[$+#]\r\n`, "g")
      mark.lastIndex = Math.max(0, line)
      const found = line === -1 ? null : mark.exec(text)
      if (found === null) break
      const end = found.index + found[0].length
      ends.push(gone + end - before)
      gone += end
      text = text.slice(end)
    }
    this.#text = text
    return ends
  }
}
