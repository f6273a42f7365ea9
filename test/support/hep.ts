/** HEP 3 read by its specification, apart from the code that writes it; and what tshark makes of it. */
import { assert } from "@effect/vitest"

export interface Hep {
  /** Chunks in order: vendor, type, and data. */
  readonly chunks: ReadonlyArray<readonly [vendor: number, type: number, data: Buffer]>
  readonly of: (type: number) => Buffer | undefined
}

/** One packet, which must be all there is. */
export const readHep = (octets: Buffer): Hep => {
  assert.strictEqual(octets.toString("latin1", 0, 4), "HEP3")
  assert.strictEqual(octets.readUInt16BE(4), octets.length)
  const chunks: Array<readonly [number, number, Buffer]> = []
  let at = 6
  while (at < octets.length) {
    const length = octets.readUInt16BE(at + 4)
    assert.isAtLeast(length, 6)
    assert.isAtMost(at + length, octets.length)
    chunks.push([octets.readUInt16BE(at), octets.readUInt16BE(at + 2), octets.subarray(at + 6, at + length)])
    at += length
  }
  return { chunks, of: (type) => chunks.find(([, one]) => one === type)?.[2] }
}

/** Packets that stand one after the other, as on a connection; the last may not be whole. */
export const splitHep = (octets: Buffer): ReadonlyArray<Buffer> => {
  const packets: Array<Buffer> = []
  for (let at = 0; at + 6 <= octets.length;) {
    const end = at + octets.readUInt16BE(at + 4)
    if (end > octets.length) break
    packets.push(octets.subarray(at, end))
    at = end
  }
  return packets
}

/** A capture file (pcap, link type raw IP) of datagrams to port 9060. */
export const pcapOf = (datagrams: ReadonlyArray<Buffer>): Buffer => {
  const header = Buffer.alloc(24)
  header.writeUInt32LE(0xa1b2c3d4, 0)
  header.writeUInt16LE(2, 4)
  header.writeUInt16LE(4, 6)
  header.writeUInt32LE(65_535, 16)
  header.writeUInt32LE(101, 20)
  return Buffer.concat([
    header,
    ...datagrams.flatMap((payload, i) => {
      const ip = Buffer.alloc(28)
      ip[0] = 0x45
      ip.writeUInt16BE(28 + payload.length, 2)
      ip[8] = 64
      ip[9] = 17
      ip.set([127, 0, 0, 1, 127, 0, 0, 1], 12)
      ip.writeUInt16BE(40_000, 20)
      ip.writeUInt16BE(9060, 22)
      ip.writeUInt16BE(8 + payload.length, 24)
      const record = Buffer.alloc(16)
      record.writeUInt32LE(i, 0)
      record.writeUInt32LE(28 + payload.length, 8)
      record.writeUInt32LE(28 + payload.length, 12)
      return [record, ip, payload]
    })
  ])
}
