/** Tables, lists and figures, which are updated with each snapshot. */
import type { StatusEvent, StatusSession, StatusTrouble } from "../status/Shapes.ts"
import { keep, make, setClass, setText } from "./dom.ts"
import { count, dateAndTime, duration, exactTime, NONE, octets, timeOfDay } from "./numbers.ts"
import { detailsOf, sentenceOf, troubles } from "./words.ts"

interface Cell {
  readonly text: string
  readonly kind?: string
  /** The user whose view the cell links to. */
  readonly user?: string
  readonly title?: string
}

interface Column {
  readonly head: string
  readonly kind?: string
}

/** Draws a table. The first cell of each row is its header. */
const drawTable = (
  parent: Element,
  caption: string,
  columns: ReadonlyArray<Column>,
  rows: ReadonlyArray<ReadonlyArray<Cell>>,
  empty: string
): void => {
  if (rows.length === 0) {
    const [text] = keep(parent, 1, () => make("p"))
    if (text!.tagName !== "P") parent.replaceChildren(make("p", "empty", empty))
    else {
      setClass(text!, "empty")
      setText(text!, empty)
    }
    return
  }
  if (parent.firstElementChild?.tagName !== "TABLE") {
    const heads = columns.map(({ head, kind = "" }) => {
      const cell = make("th", kind, head)
      cell.scope = "col"
      return cell
    })
    parent.replaceChildren(
      make("table", "", make("caption", "", caption), make("thead", "", make("tr", "", ...heads)), make("tbody"))
    )
  }
  const body = parent.querySelector("tbody")!
  keep(body, rows.length, () => make("tr")).forEach((row, at) => {
    const cells = keep(row, columns.length, () => make(row.children.length === 0 ? "th" : "td"))
    rows[at]!.forEach((cell, column) => drawCell(cells[column] as HTMLTableCellElement, cell, columns[column]!.kind))
    ;(cells[0] as HTMLTableCellElement).scope = "row"
  })
}

const drawCell = (element: HTMLElement, { kind = "", text, title, user }: Cell, columnKind = ""): void => {
  setClass(element, `${columnKind} ${kind}`.trim())
  if (title !== undefined && element.title !== title) element.title = title
  if (user === undefined) return setText(element, text)
  const link = element.firstElementChild instanceof HTMLAnchorElement ? element.firstElementChild : make("a")
  const href = `#user=${encodeURIComponent(user)}`
  if (link.getAttribute("href") !== href) link.href = href
  setText(link, text)
  if (link.parentElement !== element) element.replaceChildren(link)
}

const number = { kind: "number" }

const sessionColumns = (first: Column): ReadonlyArray<Column> => [
  first,
  { head: "From", kind: "one-line" },
  { head: "Written to by", kind: "one-line" },
  { head: "Age", ...number },
  { head: "Messages sent", ...number },
  { head: "Messages received", ...number },
  { head: "Data sent", ...number },
  { head: "Data received", ...number },
  { head: "Failures", ...number }
]

const spoken: Readonly<Record<StatusSession["transport"], string>> = {
  tcp: "not encrypted (TCP)",
  tls: "encrypted (TLS)",
  ws: "not encrypted (WebSocket)",
  wss: "encrypted (WebSocket with TLS)"
}

const sessionCells = (session: StatusSession, now: number): ReadonlyArray<Cell> => {
  const { failures, peer, received, remote, sent, since, transport } = session
  return [
    { text: remote, title: spoken[transport] },
    peer === undefined ? { text: "nobody yet", kind: "dim" } : { text: peer },
    { text: duration(Math.max(0, now - since)), title: exactTime(since) },
    { text: count(sent.requests) },
    { text: count(received.requests) },
    { text: octets(sent.octets) },
    { text: octets(received.octets) },
    { text: count(failures), kind: failures > 0 ? "warn" : "dim" }
  ]
}

export const drawTop = (parent: Element, sessions: ReadonlyArray<StatusSession>, now: number): void =>
  drawTable(
    parent,
    "Sessions with most data since the login first",
    sessionColumns({ head: "User", kind: "name" }),
    sessions.map((
      session
    ) => [{ text: session.user, user: session.user, title: session.realm }, ...sessionCells(session, now)]),
    "There is no session."
  )

export const drawSessions = (parent: Element, sessions: ReadonlyArray<StatusSession>, now: number): void =>
  drawTable(
    parent,
    "Live sessions, the oldest first",
    sessionColumns({ head: "Session", kind: "one-line" }),
    sessions.map((session) => [{ text: session.session, title: session.realm }, ...sessionCells(session, now)]),
    "There is no live session."
  )

export const drawTrouble = (parent: Element, trouble: ReadonlyArray<StatusTrouble>): void =>
  drawTable(
    parent,
    "What went wrong",
    [{ head: "" }, { head: "last 15 min", ...number }, { head: "in all", ...number }],
    trouble.filter(({ total }) => total > 0).map(({ kind, lately, total }) => [
      { text: troubles[kind] ?? kind },
      { text: count(lately), kind: lately > 0 ? "warn" : "dim" },
      { text: count(total) }
    ]),
    "Nothing since the relay started."
  )

export const drawCertificates = (
  parent: Element,
  certificates: ReadonlyArray<
    { readonly names: ReadonlyArray<string>; readonly days: number; readonly notAfter: number }
  >
): void =>
  drawTable(
    parent,
    "Certificates",
    [{ head: "Names", kind: "name" }, { head: "valid until", ...number }, { head: "days left", ...number }],
    certificates.map(({ days, names, notAfter }) => [
      { text: names.join(", ") },
      { text: dateAndTime(notAfter) },
      { text: days < 0 ? "ended" : count(days), kind: days < 3 ? "bad" : days < 14 ? "warn" : "" }
    ]),
    "No certificate is in use."
  )

/** Draws events, which are given latest first. */
export const drawEvents = (
  parent: Element,
  events: ReadonlyArray<StatusEvent>,
  { empty, withDate = false, withUser = true }: {
    readonly empty: string
    readonly withDate?: boolean
    readonly withUser?: boolean
  }
): void => {
  if (events.length === 0) {
    if (parent.textContent !== empty) parent.replaceChildren(make("li", "empty", empty))
    return
  }
  const one = () => make("li", "", make("time"), make("p"), make("p", "details"))
  if (parent.firstElementChild?.className === "empty") parent.replaceChildren()
  keep(parent, events.length, one).forEach((line, at) => {
    const event = events[at]!
    const [time, sentence, details] = line.children as unknown as [HTMLTimeElement, HTMLElement, HTMLElement]
    const { text, tone } = sentenceOf(event)
    setText(time, withDate ? exactTime(event.time) : timeOfDay(event.time))
    time.title = exactTime(event.time)
    time.dateTime = new Date(event.time).toISOString()
    setClass(sentence, tone === "fault" ? "warn" : "")
    setText(sentence, text)
    setText(details, detailsOf(event, withUser))
  })
}

/** Draws the large numbers above a chart. */
export const drawFigures = (
  parent: Element,
  figures: ReadonlyArray<
    { readonly label: string; readonly value: string; readonly unit?: string; readonly line?: "one" | "two" }
  >
): void =>
  keep(parent, figures.length, () => make("div", "figure", make("b", "", make("i"), make("small")), make("span")))
    .forEach((figure, at) => {
      const { label, line = "", unit = "", value } = figures[at]!
      setClass(figure, `figure ${line}`.trim())
      setText(figure.querySelector("i")!, value)
      setText(figure.querySelector("small")!, value === NONE ? "" : unit)
      setText(figure.querySelector("span")!, label)
    })

export interface Meter {
  readonly name: string
  readonly text: string
  /** Share of the limit, from 0 to 1. */
  readonly part?: number | undefined
  readonly tone?: "" | "warn" | "bad"
}

export const drawMeters = (parent: Element, meters: ReadonlyArray<Meter>): void =>
  keep(
    parent,
    meters.length,
    () => make("div", "", make("dt"), make("dd", "", make("div", "bar", make("i"))), make("dd"))
  )
    .forEach((row, at) => {
      const { name, part, text, tone = "" } = meters[at]!
      const [term, middle, value] = row.children as unknown as [HTMLElement, HTMLElement, HTMLElement]
      setText(term, name)
      setText(value, text)
      setClass(value, tone)
      const bar = middle.firstElementChild as HTMLElement
      setClass(bar, `bar ${tone}`.trim())
      bar.hidden = part === undefined
      if (part !== undefined) {
        ;(bar.firstElementChild as HTMLElement).style.width = `${Math.min(100, part * 100).toFixed(1)}%`
      }
    })
