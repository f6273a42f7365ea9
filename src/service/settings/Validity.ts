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

/** The part of its life that a certificate is in; all but `fine` concern the operator. */
type Stage = "not yet valid" | "fine" | "ending" | "expired"

export const stageOf = ({ from, to }: Validity, now: number): Stage =>
  now < from ? "not yet valid" : now > to ? "expired" : to - now > Math.min(NOTICE, (to - from) / 3) ? "fine" : "ending"

/** A warning for the operator, if there is any, phrased to follow the name of the certificate. */
export const concernOf = (validity: Validity, now: number): string | undefined => {
  const { from, to } = validity
  const day = (time: number): string => new Date(time).toISOString()
  const stage = stageOf(validity, now)
  if (stage === "fine") return undefined
  if (stage === "not yet valid") return `is valid only from ${day(from)} on`
  if (stage === "expired") return `expired on ${day(to)}`
  const days = Math.floor((to - now) / DAY)
  return `expires on ${day(to)}, in ${days === 0 ? "less than a day" : days === 1 ? "a day" : `${days} days`}`
}
