/** What a relay tells an operator, for tests to look at. */
import { assert } from "@effect/vitest"
import type { EventMessage, RelayEvent } from "../../src/Relay.ts"
import { eventTable, fieldMeanings, type FieldName } from "../documents/made/eventTable.ts"
import type { World } from "./harness.ts"

/** Each field of an event is one of its message, in the order of the table, and none that is always there is missing. */
export const assertFields = ({ fields, message }: RelayEvent): void => {
  const { always, sometimes } = eventTable[message]
  const names = Object.keys(fields) as Array<FieldName>
  const order = Object.keys(fieldMeanings)
  assert.deepStrictEqual(names, names.toSorted((a, b) => order.indexOf(a) - order.indexOf(b)), message)
  for (const name of always) assert.include(names, name, `${message} lacks ${name}`)
  for (const name of names) {
    assert.isTrue(always.includes(name) || sometimes.includes(name) || name === "times", `${message} has ${name}`)
  }
}

/** All events of a world from now on, but for those of `Peer.quiet`, whose request the relay refuses. */
export const heardIn = (world: World): Array<RelayEvent> => {
  const heard: Array<RelayEvent> = []
  world.relay.operator.listen((event) => {
    if (event.fields["method"] !== "another") heard.push(event)
  })
  return heard
}

/** Those of one message. */
export const of = (heard: ReadonlyArray<RelayEvent>, message: EventMessage): ReadonlyArray<RelayEvent> => {
  for (const event of heard) assertFields(event)
  return heard.filter((event) => event.message === message)
}

/** The fields of the only one. */
export const onlyOf = (
  heard: ReadonlyArray<RelayEvent>,
  message: EventMessage
): Readonly<Record<string, unknown>> => {
  const events = of(heard, message)
  assert.lengthOf(events, 1, `${message}: ${JSON.stringify(heard)}`)
  return events[0]!.fields
}

/** A line of logfmt, by its fields. */
export const fieldsOf = (line: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Array.from(line.matchAll(/([\w.]+)=(?:"((?:[^"\\]|\\.)*)"|(\S*))/g), ([, name, quoted, plain]) => [
      name!,
      quoted === undefined ? plain! : quoted.replaceAll(/\\(.)/g, "$1")
    ])
  )
