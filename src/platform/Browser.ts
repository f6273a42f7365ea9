/**
 * The functions of Node.js that the protocol and the client use, for browsers; it replaces `Node.ts`. Each supports only the calls
 * that are made. Hashes are not those of WebCrypto, which is asynchronous and has no MD5.
 */
import { md5 } from "@noble/hashes/legacy.js"
import { sha256 } from "@noble/hashes/sha2.js"

type Encoding = "latin1" | "utf8"

/** Arguments of one call of `String.fromCharCode`. */
const CODES = 4096

const encoder = new TextEncoder()
const decoder = new TextDecoder("utf-8", { ignoreBOM: true })

/** Typed without the static side, whose functions of the same names differ. */
const Octets = Uint8Array as unknown as new(octets: ArrayBuffer | number, at?: number, length?: number) => Uint8Array<
  ArrayBuffer
>

/** The part of Node's `Buffer` that is used. */
export class Buffer extends Octets {
  static alloc(length: number, fill = 0): Buffer {
    const octets = new Buffer(length)
    if (fill !== 0) octets.fill(fill)
    return octets
  }

  static allocUnsafeSlow(length: number): Buffer {
    return new Buffer(length)
  }

  /** Octets of text in UTF-8. */
  static byteLength(value: string | Uint8Array): number {
    return octetsOf(value).length
  }

  /** Copies text and octets; an `ArrayBuffer`, or a part of it, is not copied. */
  static from(value: string | Uint8Array, encoding?: Encoding): Buffer
  static from(value: ArrayBuffer, at?: number, length?: number): Buffer
  static from(value: string | Uint8Array | ArrayBuffer, how?: Encoding | number, length?: number): Buffer {
    if (value instanceof ArrayBuffer) return new Buffer(value, how as number | undefined, length)
    const octets = typeof value === "string" && how === "latin1" ? latin1(value) : octetsOf(value)
    const copy = new Buffer(octets.length)
    copy.set(octets)
    return copy
  }

  static concat(list: ReadonlyArray<Uint8Array>, length = list.reduce((sum, one) => sum + one.length, 0)): Buffer {
    const whole = new Buffer(length)
    let at = 0
    for (const one of list) {
      whole.set(one, at)
      at += one.length
    }
    return whole
  }

  override toString(encoding: Encoding = "utf8", start = 0, end = this.length): string {
    const octets = this.subarray(start, end)
    // The label "latin1" of TextDecoder means windows-1252.
    if (encoding !== "latin1") return decoder.decode(octets)
    let text = ""
    for (let at = 0; at < octets.length; at += CODES) text += String.fromCharCode(...octets.subarray(at, at + CODES))
    return text
  }

  copy(target: Uint8Array, to = 0, start = 0, end = this.length): number {
    const octets = this.subarray(start, Math.min(end, start + target.length - to))
    target.set(octets, to)
    return octets.length
  }

  compare(target: Uint8Array, targetStart = 0, targetEnd = target.length, start = 0, end = this.length): number {
    const length = Math.min(targetEnd - targetStart, end - start)
    for (let i = 0; i < length; i++) {
      const difference = this[start + i]! - target[targetStart + i]!
      if (difference !== 0) return Math.sign(difference)
    }
    return Math.sign(end - start - (targetEnd - targetStart))
  }

  override indexOf(wanted: number | Uint8Array, from = 0): number {
    if (typeof wanted === "number") return super.indexOf(wanted, from)
    for (let at = super.indexOf(wanted[0]!, from); at !== -1; at = super.indexOf(wanted[0]!, at + 1)) {
      if (at + wanted.length > this.length) return -1
      let i = 1
      while (i < wanted.length && this[at + i] === wanted[i]) i++
      if (i === wanted.length) return at
    }
    return -1
  }
}

const latin1 = (text: string): Uint8Array => {
  const octets = new Uint8Array(text.length)
  for (let i = 0; i < text.length; i++) octets[i] = text.charCodeAt(i)
  return octets
}

type Algorithm = "md5" | "sha256"

const algorithms = { md5, sha256 }

const octetsOf = (data: string | Uint8Array): Uint8Array => typeof data === "string" ? encoder.encode(data) : data

const hexOf = (octets: Uint8Array): string => Array.from(octets, (one) => one.toString(16).padStart(2, "0")).join("")

/** A hash in lower-case hex. */
export const hash = (algorithm: Algorithm, data: string | Uint8Array): string =>
  hexOf(algorithms[algorithm](octetsOf(data)))

export const createHash = (algorithm: Algorithm) => {
  const state = algorithms[algorithm].create()
  const own = {
    update: (octets: Uint8Array) => {
      state.update(octets)
      return own
    },
    digest: (): string => hexOf(state.digest())
  }
  return own
}

export const randomFillSync = <A extends Uint8Array<ArrayBuffer>>(octets: A): A => crypto.getRandomValues(octets)

/** Compares octets of equal length in a time that does not depend on where they differ. */
export const timingSafeEqual = (a: Uint8Array, b: Uint8Array): boolean => {
  let difference = 0
  for (let i = 0; i < a.length; i++) difference |= a[i]! ^ b[i]!
  return difference === 0
}

const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/

export const isIPv4 = (text: string): boolean => IPV4.test(text)

/** Whether text is an IPv6 address without a zone, which a URI cannot have. */
export const isIPv6 = (text: string): boolean => text.includes(":") && URL.canParse(`http://[${text}]`)

/** Where a package is loaded from, for errors: all are in the bundle. */
export const placeOf = (name: string): string => `the ${name} in its bundle`
