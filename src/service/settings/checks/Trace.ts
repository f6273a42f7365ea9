/** The capture server for traced frames, and the users that are traced. */
import type { HepOptions } from "../../../hep/HepSender.ts"
import { type Values, variables } from "../Table.ts"

export interface TraceSettings {
  /** Options of the HEP sender; absent if no frames are sent. */
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
