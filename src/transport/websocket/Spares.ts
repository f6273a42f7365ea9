/** Reused buffers for framed output: allocating one for each write would cost more than filling it. */

/** Octets of the smallest buffers; each size is twice the one before. */
const LEAST = 1024
/** Octets of the largest buffers that are kept. */
const MOST = 262_144

/** The most buffers of each size that are kept. */
const KEPT = 16

const spares: Array<Array<Buffer>> = []

const sizeClass = (octets: number): number => Math.max(0, 32 - Math.clz32((octets - 1) >> 10))

/** Takes a buffer of at least this many octets. */
export const takeSpare = (octets: number): Buffer => {
  if (octets > MOST) return Buffer.allocUnsafeSlow(octets)
  const of = sizeClass(octets)
  return spares[of]?.pop() ?? Buffer.allocUnsafeSlow(LEAST << of)
}

/** Returns a buffer that is no longer used. */
export const releaseSpare = (spare: Buffer): void => {
  if (spare.length > MOST) return
  const same = spares[sizeClass(spare.length)] ??= []
  if (same.length < KEPT) same.push(spare)
}
