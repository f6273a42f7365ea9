/** A traced frame as text, with a note in place of its body. */
import type { TraceFrame } from "./TraceFrame.ts"

const octetsText = (octets: number): string => octets === 1 ? "1 octet" : `${octets.toLocaleString("en")} octets`

/** A note in place of the body or of what is not a frame; undefined if there is nothing to say. */
export const noteOf = ({ octets, part, problem }: TraceFrame): string | undefined => {
  const note = part === "broken"
    ? `the connection is closed: ${problem}`
    : part === "begin"
    ? "a long chunk, its body follows"
    : octets !== undefined && octets > 0
    ? `${octetsText(octets)} of body`
    : undefined
  if (part === "broken" || problem === undefined) return note
  return note === undefined ? `malformed: ${problem}` : `malformed: ${problem}; ${note}`
}

/** The end-line; undefined if it has not come yet. */
export const endLineOf = ({ flag, startLine }: TraceFrame): string | undefined =>
  flag === undefined ? undefined : `-------${startLine.split(" ", 2)[1] ?? ""}${flag}`

/** The lines of a frame, as on the wire. */
export const linesOf = (frame: TraceFrame): ReadonlyArray<string> => {
  const note = noteOf(frame)
  const endLine = endLineOf(frame)
  return [
    ...(frame.startLine === "" ? [] : [frame.startLine]),
    ...frame.headers,
    ...(note === undefined ? [] : ["", `(${note})`]),
    ...(endLine === undefined ? [] : [endLine])
  ]
}
