/** Traced frames as text: a line with time, connection and start line, followed by the headers. */
import { inspect } from "node:util"
import { endLineOf, noteOf } from "../../trace/Text.ts"
import type { TraceFrame } from "../../trace/TraceFrame.ts"

export interface FormatOptions {
  /** Whether to use terminal colours. */
  readonly colours: boolean
  /** Whether to show only the first line of each frame. */
  readonly brief?: boolean | undefined
}

type Colour = "bold" | "cyan" | "dim" | "green" | "red" | "yellow"

const painter = (colours: boolean) => (text: string, ...names: ReadonlyArray<Colour>): string => {
  if (!colours || text === "") return text
  const codes = names.map((name) => inspect.colors[name]!)
  return `${codes.map(([on]) => `\u001b[${on}m`).join("")}${text}${codes.map(([, off]) => `\u001b[${off}m`).join("")}`
}

/** Colours tell apart successful responses, other responses, requests, and what is malformed. */
const colourOf = ({ part, problem, startLine }: TraceFrame): Colour => {
  if (part === "broken" || problem !== undefined) return "red"
  const status = /^MSRP \S+ (\d)\d\d\b/.exec(startLine)?.[1]
  return status === undefined ? "cyan" : status === "2" ? "green" : "yellow"
}

/** The date, shown before the first frame of each day. */
const dayOf = (date: Date): string => `${date.toISOString().slice(0, 10)} UTC`
const timeOf = (date: Date): string => date.toISOString().slice(11, -1)

/**
 * Makes a function from frames to text; each line ends with a line end. Times are in UTC, as in the log and the admin
 * API.
 */
export const formatter = ({ brief = false, colours }: FormatOptions): (frame: TraceFrame) => string => {
  const paint = painter(colours)
  let day = ""

  const firstLine = (frame: TraceFrame, time: string): string => {
    const { connection, direction, local, part, remote, session, startLine, transport } = frame
    const isIn = direction === "in"
    const [, id = "", ...rest] = startLine.split(" ")
    const what = part === "broken" ? "connection closed" : rest.join(" ")
    const where = [
      ...(session === undefined ? [] : [`~${session}`]),
      ...(brief && id !== "" ? [id] : []),
      `${transport} #${connection}`,
      isIn ? `from ${remote} at ${local}` : `to ${remote} from ${local}`
    ]
    const note = part === "begin" ? "begins" : part === "end" ? "ends" : ""
    const size = brief ? briefNote(frame) : ""
    const head = paint(
      [isIn ? "-->" : "<--", what, note, size].filter((one) => one !== "").join(" "),
      "bold",
      colourOf(frame)
    )
    return `${paint(time, "dim")} ${head}  ${paint(where.join("  "), "dim")}`
  }

  const header = (line: string): string => {
    const colon = line.indexOf(":")
    return colon === -1 ? paint(line, "dim") : `${paint(line.slice(0, colon + 1), "dim")}${line.slice(colon + 1)}`
  }

  return (frame) => {
    const date = new Date(frame.time)
    const lines: Array<string> = []
    if (dayOf(date) !== day) {
      day = dayOf(date)
      lines.push(paint(day, "bold"))
    }
    lines.push(firstLine(frame, timeOf(date)))
    if (!brief) {
      const note = noteOf(frame)
      const endLine = endLineOf(frame)
      const isBad = frame.problem !== undefined
      lines.push(
        ...(frame.startLine === "" ? [] : [`    ${frame.startLine}`]),
        ...frame.headers.map((line) => `    ${header(line)}`),
        ...(note === undefined ? [] : [`    ${paint(`(${note})`, isBad ? "red" : "dim")}`]),
        ...(endLine === undefined ? [] : [`    ${paint(endLine, "dim")}`])
      )
    }
    if (frame.dropped !== undefined) {
      const frames = frame.dropped === 1 ? "1 frame is" : `${frame.dropped.toLocaleString("en")} frames are`
      lines.push(paint(`... ${frames} missing here: they came faster than they were read`, "yellow"))
    }
    if (!brief) lines.push("")
    return lines.map((line) => `${line}\n`).join("")
  }
}

const briefNote = (frame: TraceFrame): string => {
  const { octets, problem } = frame
  if (problem !== undefined) return `(${problem})`
  return octets === undefined || octets === 0 ? "" : `(${octets.toLocaleString("en")} octets)`
}
