/** Memory for what goes out framed, used again: to make it anew for each write costs more than to fill it. */

/** Octets of the smallest and of the largest that is kept; each size is twice the one before. */
const LEAST = 1024
const MOST = 262_144

/** Of each size. */
const KEPT = 16

const spares: Array<Array<Buffer>> = []

const sizeClass = (octets: number): number => Math.max(0, 32 - Math.clz32((octets - 1) >> 10))

/** At least so many octets. */
export const takeSpare = (octets: number): Buffer => {
  if (octets > MOST) return Buffer.allocUnsafeSlow(octets)
  const of = sizeClass(octets)
  return spares[of]?.pop() ?? Buffer.allocUnsafeSlow(LEAST << of)
}

/** It is used no more. */
export const releaseSpare = (spare: Buffer): void => {
  if (spare.length > MOST) return
  const same = spares[sizeClass(spare.length)] ??= []
  if (same.length < KEPT) same.push(spare)
}
