/**
 * HEP 3, the Homer Encapsulation Protocol ("HEP3 Network Protocol Specification", revision 37): one captured packet
 * with its addresses and time, for a capture server.
 *
 * The protocol type (chunk 0x000b) has no number for MSRP. Homer uses 100 for lines of text with a correlation id.
 */
import * as NetAddress from "effect/net/NetAddress"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type { Address } from "../transport/Connection.ts"

/** Chunk types of the generic vendor 0. */
const Chunk = {
  family: 0x0001,
  protocol: 0x0002,
  source4: 0x0003,
  destination4: 0x0004,
  source6: 0x0005,
  destination6: 0x0006,
  sourcePort: 0x0007,
  destinationPort: 0x0008,
  seconds: 0x0009,
  microseconds: 0x000a,
  type: 0x000b,
  captureId: 0x000c,
  key: 0x000e,
  payload: 0x000f,
  correlation: 0x0011
} as const

/** Protocol type for lines of text. */
const TEXT = 100

const IPV4 = 2
const IPV6 = 10
const TCP = 6

/** Octets of a chunk's vendor, type and length, and of the packet's "HEP3" and length. */
const HEADER = 6

/** Maximum octets of a packet, as heplify-server accepts it. Over UDP it is one datagram. */
export const MAX_PACKET = 8192

/** Maximum octets of the key, and of the correlation id. */
export const MAX_KEY = 255
export const MAX_CORRELATION = 255

export interface HepPacket {
  /** IP addresses with ports. */
  readonly source: Address
  readonly destination: Address
  /** Milliseconds since 1970. */
  readonly time: number
  /** The capturing node: 32 bits. */
  readonly captureId: number
  /** The key that authorizes the sender. */
  readonly key: string | undefined
  /** Identifies packets that belong together. */
  readonly correlation: string | undefined
  readonly payload: string
}

const chunk = (type: number, data: Buffer): Buffer => {
  const octets = Buffer.alloc(HEADER + data.length)
  octets.writeUInt16BE(type, 2)
  octets.writeUInt16BE(octets.length, 4)
  data.copy(octets, HEADER)
  return octets
}

const uint8 = (type: number, value: number): Buffer => chunk(type, Buffer.of(value))

const uint16 = (type: number, value: number): Buffer => {
  const data = Buffer.alloc(2)
  data.writeUInt16BE(value & 0xffff)
  return chunk(type, data)
}

const uint32 = (type: number, value: number): Buffer => {
  const data = Buffer.alloc(4)
  data.writeUInt32BE(value >>> 0)
  return chunk(type, data)
}

/** Text that is not an address becomes 0.0.0.0. */
const parsed = (host: string): NetAddress.IpAddress => {
  const address = Result.getOrElse(NetAddress.ipFromString(host.replace(/%.*$/s, "")), () => NetAddress.ipv4Unspecified)
  return NetAddress.isIpv6Address(address)
    ? Option.getOrElse(NetAddress.fromIpv4Mapped(address), () => address)
    : address
}

const octets6 = (address: NetAddress.IpAddress): Buffer =>
  Buffer.from(NetAddress.ipv6ToOctets(NetAddress.isIpv4Address(address) ? NetAddress.toIpv4Mapped(address) : address))

/** The beginning of a text in UTF-8; `write` puts in no part of a character. */
const cut = (text: string, most: number): Buffer => {
  const octets = Buffer.allocUnsafe(most)
  return octets.subarray(0, octets.write(text))
}

/**
 * Encodes a packet. A payload that would exceed `MAX_PACKET` is cut. sngrep requires the chunks in this order; other
 * servers accept any.
 */
export const encodeHep3 = (packet: HepPacket): Buffer => {
  const { captureId, correlation, destination, key, payload, source, time } = packet
  const [from, to] = [parsed(source.host), parsed(destination.host)]
  const isIpv4 = NetAddress.isIpv4Address(from) && NetAddress.isIpv4Address(to)
  const seconds = Math.floor(time / 1000)
  const before = [
    uint8(Chunk.family, isIpv4 ? IPV4 : IPV6),
    uint8(Chunk.protocol, TCP),
    uint16(Chunk.sourcePort, source.port),
    uint16(Chunk.destinationPort, destination.port),
    uint32(Chunk.seconds, seconds),
    uint32(Chunk.microseconds, Math.floor((time - 1000 * seconds) * 1000)),
    uint8(Chunk.type, TEXT),
    uint32(Chunk.captureId, captureId),
    ...(isIpv4
      ? [
        chunk(Chunk.source4, Buffer.from(NetAddress.ipv4ToOctets(from))),
        chunk(Chunk.destination4, Buffer.from(NetAddress.ipv4ToOctets(to)))
      ]
      : [chunk(Chunk.source6, octets6(from)), chunk(Chunk.destination6, octets6(to))]),
    ...(key === undefined ? [] : [chunk(Chunk.key, cut(key, MAX_KEY))])
  ]
  const behind = correlation === undefined ? [] : [chunk(Chunk.correlation, cut(correlation, MAX_CORRELATION))]
  const others = [...before, ...behind].reduce((sum, { length }) => sum + length, HEADER)
  const whole = [...before, chunk(Chunk.payload, cut(payload, MAX_PACKET - others - HEADER)), ...behind]
  const length = Buffer.alloc(2)
  length.writeUInt16BE(whole.reduce((sum, one) => sum + one.length, HEADER))
  return Buffer.concat([Buffer.from("HEP3"), length, ...whole])
}
