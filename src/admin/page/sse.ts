/** Server-sent events as they come in, for a stream that `EventSource` cannot ask for: it sends no Authorization. */

export interface ServerEvent {
  readonly event: string
  readonly data: string
}

/** Characters of one event; a snapshot has some thousand. */
const MAX_EVENT = 4_194_304

export class EventTooLong extends Error {}

/** Takes text as it comes, and returns the events that are whole. */
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
