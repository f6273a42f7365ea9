/** When certificates are valid, and what is to be said of that. */
import { X509Certificate } from "node:crypto"
import type { TlsOptions } from "../../Transport.ts"

/** Milliseconds since 1970. */
export interface Validity {
  readonly from: number
  readonly to: number
}

const DAY = 86_400_000

/** So long before the end it is warned of; of a life that is short itself, in its last third. */
const NOTICE = 14 * DAY

export const validityOf = ({ validFromDate, validToDate }: X509Certificate): Validity => ({
  from: validFromDate.getTime(),
  to: validToDate.getTime()
})

/** Of the relay's own certificate of each pair, the default one first. */
export const validitiesOf = ({ cert, others = [] }: TlsOptions): ReadonlyArray<Validity> =>
  (cert === undefined ? [] : [{ cert }, ...others]).map((pair) => validityOf(new X509Certificate(pair.cert)))

export const isValid = ({ from, to }: Validity, now: number): boolean => from <= now && now <= to

/** What an operator should know now, if anything: as it fits behind the name of the certificate. */
export const concernOf = ({ from, to }: Validity, now: number): string | undefined => {
  const day = (time: number): string => new Date(time).toISOString()
  if (now < from) return `is valid only from ${day(from)} on`
  if (now > to) return `has expired on ${day(to)}`
  if (to - now > Math.min(NOTICE, (to - from) / 3)) return undefined
  const days = Math.floor((to - now) / DAY)
  return `expires on ${day(to)}, in ${days === 0 ? "less than a day" : days === 1 ? "a day" : `${days} days`}`
}
