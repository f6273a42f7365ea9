/** A parser of server-sent events. `EventSource` cannot be used, because it sends no Authorization. */

export interface ServerEvent {
  readonly event: string
  readonly data: string
}

/** Maximum number of characters of one event; a snapshot has a few thousand. */
const MAX_EVENT = 4_194_304

export class EventTooLong extends Error {}

/** Makes a function that takes text as it arrives, and returns the events that are complete. */
export const eventReader = (): (text: string) => ReadonlyArray<ServerEvent> => {
  let rest = ""
  return (text) => {
    const blocks = (rest + text).replaceAll("\r\n", "\n").split("\n\n")
    rest = blocks.pop()!
    if (rest.length > MAX_EVENT) throw new EventTooLong()
    return blocks.flatMap((block) => {
      const fields = block.split("\n").map((line) => {
        const colon = line.indexOf(":")
        return [line.slice(0, colon), line.slice(colon + 1).replace(/^ /, "")] as const
      })
      const values = (name: string) => fields.filter(([key]) => key === name).map(([, value]) => value)
      const data = values("data")
      return data.length === 0 ? [] : [{ event: values("event").at(-1) ?? "message", data: data.join("\n") }]
    })
  }
}
