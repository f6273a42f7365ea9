/** Where traced frames are sent, and whose. */
import type { HepOptions } from "../../../hep/HepSender.ts"
import { type Values, variables } from "../Table.ts"

export interface TraceSettings {
  /** For the HEP sender; absent: nothing is sent. */
  readonly hep: HepOptions | undefined
  readonly warnings: ReadonlyArray<string>
}

export const traceOf = ({ hep, hepId, hepKey, hepUsers }: Values): TraceSettings => {
  if (hep !== undefined) {
    return { hep: { ...hep, users: hepUsers ?? "*", captureId: hepId, key: hepKey }, warnings: [] }
  }
  const unused = [
    ...(hepUsers === undefined ? [] : [variables.hepUsers]),
    ...(hepKey === undefined ? [] : [variables.hepKey])
  ]
  return {
    hep: undefined,
    warnings: unused.map(({ variable }) => `${variable} is not used without ${variables.hep.variable}`)
  }
}
