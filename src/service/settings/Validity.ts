/** Validity periods of certificates, and warnings about them. */
import { X509Certificate } from "node:crypto"
import type { TlsOptions } from "../../Transport.ts"

/** Milliseconds since 1970. */
export interface Validity {
  readonly from: number
  readonly to: number
}

const DAY = 86_400_000

/**
 * Milliseconds before expiry at which a warning begins; for short-lived certificates, it is the last third of their
 * life.
 */
const NOTICE = 14 * DAY

export const validityOf = ({ validFromDate, validToDate }: X509Certificate): Validity => ({
  from: validFromDate.getTime(),
  to: validToDate.getTime()
})

/** Validity of the relay's own certificate of each pair, the default pair first. */
export const validitiesOf = ({ cert, others = [] }: TlsOptions): ReadonlyArray<Validity> =>
  (cert === undefined ? [] : [{ cert }, ...others]).map((pair) => validityOf(new X509Certificate(pair.cert)))

export const isValid = ({ from, to }: Validity, now: number): boolean => from <= now && now <= to

/** A warning for the operator, if there is any, phrased to follow the name of the certificate. */
export const concernOf = ({ from, to }: Validity, now: number): string | undefined => {
  const day = (time: number): string => new Date(time).toISOString()
  if (now < from) return `is valid only from ${day(from)} on`
  if (now > to) return `has expired on ${day(to)}`
  if (to - now > Math.min(NOTICE, (to - from) / 3)) return undefined
  const days = Math.floor((to - now) / DAY)
  return `expires on ${day(to)}, in ${days === 0 ? "less than a day" : days === 1 ? "a day" : `${days} days`}`
}
