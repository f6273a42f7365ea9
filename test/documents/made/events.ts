/** The tables of events in docs/log.md, made from the events that the relay logs. */
import { eventMessages } from "../../../src/Relay.ts"
import { eventTable, fieldMeanings } from "./eventTable.ts"

/** All events, and all fields of events, in Markdown: a table for each. */
export const eventTables = (): string => {
  const named = (names: ReadonlyArray<string>): string => names.map((name) => `\`${name}\``).join(", ")
  const events = eventMessages.map((message) => {
    const { advice, always, level, meaning, sometimes } = eventTable[message]
    return `| \`${message}\` | ${level} | ${meaning} | ${named(always)}; if known ${named(sometimes)} | ${advice} |`
  })
  const fields = Object.entries(fieldMeanings).map(([name, meaning]) => `| \`${name}\` | ${meaning} |`)
  return [
    "| message | level | what it means | fields | what to do |",
    "| --- | --- | --- | --- | --- |",
    ...events,
    "",
    "| field | what it is |",
    "| --- | --- |",
    ...fields
  ].join("\n")
}
