/** Output of the admin subcommands: a list as a table, an event as one or two lines. */
import type { Overview, Reloaded } from "../../Admin.ts"
import type * as Model from "../../admin/Model.ts"
import { wrapped } from "../Wrapping.ts"
import { type Column, duration, GAP, moment, number, octets, plain, table, WIDTH } from "./Text.ts"
import { unusableOf } from "./Unusable.ts"

type Session = typeof Model.Session.Type
type Connection = typeof Model.Connection.Type
type Event = typeof Model.Event.Type

interface Page<A> {
  readonly total: number
  readonly items: ReadonlyArray<A>
}

/** The offset of a page, and how it is shown. */
interface Shown {
  readonly offset: number
  readonly now: number
  /** Characters of a line. */
  readonly width: number
  /** The user whose items are on it, if the query named one. */
  readonly user?: string | undefined
}

const sessionColumns = (now: number): ReadonlyArray<Column<Session>> => [
  { title: "SESSION", of: ({ session }) => session },
  { title: "USER@REALM", of: ({ realm, user }) => `${user}@${realm}`, least: 12 },
  { title: "REMOTE", of: ({ remote }) => remote, least: 16 },
  { title: "AGE", of: ({ since }) => duration(now - since), right: true },
  { title: "LEFT", of: ({ expires }) => duration(expires - now), right: true },
  { title: "SENT", of: ({ sent }) => octets(sent.octets), right: true },
  { title: "RECEIVED", of: ({ received }) => octets(received.octets), right: true },
  { title: "FAILED", of: ({ failures }) => number(failures), right: true }
]

const whose = ({ realm, severalUsers, user }: Connection): string =>
  severalUsers ? "(several)" : user === undefined ? "" : `${user}@${realm}`

const connectionColumns = (now: number): ReadonlyArray<Column<Connection>> => [
  { title: "NUMBER", of: ({ connection }) => String(connection), right: true },
  { title: "USER@REALM", of: whose, least: 10 },
  { title: "REMOTE", of: ({ remote }) => remote, least: 16 },
  { title: "KIND", of: ({ relay, transport }) => `${transport}${relay ? " relay" : ""}` },
  { title: "LISTENER", of: ({ listener }) => listener ?? "(made by the relay)", least: 8 },
  { title: "AGE", of: ({ since }) => duration(now - since), right: true },
  { title: "SESSIONS", of: ({ sessions }) => number(sessions), right: true },
  { title: "IN", of: ({ octetsIn }) => octets(octetsIn), right: true },
  { title: "OUT", of: ({ octetsOut }) => octets(octetsOut), right: true },
  { title: "WAITING", of: ({ waiting }) => octets(waiting), right: true }
]

/** What may be wrong with the name of a user of whom nothing is found: lists show it with its realm. */
export const nameHint = (user = ""): string => {
  const at = user.lastIndexOf("@")
  return at > 0 ? ` (names are without the realm: ${plain(user.slice(0, at))}?)` : ""
}

/** The position of this page in the whole list, and how to get the next page. */
const position = (what: string, { items, total }: Page<unknown>, offset: number): string => {
  const end = offset + items.length
  const range = items.length === total ? number(total) : `${number(offset + 1)} to ${number(end)} of ${number(total)}`
  return `${range} ${what}${total === 1 ? "" : "s"}${end < total ? `; the next ones with --offset ${end}` : ""}`
}

const listed = <A>(
  what: string,
  columns: ReadonlyArray<Column<A>>,
  page: Page<A>,
  { offset, user, width }: Shown
) =>
  page.items.length > 0
    ? [...table(columns, page.items, width), "", position(what, page, offset)]
    : [page.total === 0 ? `No ${what}s${nameHint(user)}` : `No more ${what}s: there are ${number(page.total)}`]

export const sessionLines = (page: Page<Session>, shown: Shown): ReadonlyArray<string> =>
  listed("session", sessionColumns(shown.now), page, shown)

export const connectionLines = (page: Page<Connection>, shown: Shown): ReadonlyArray<string> =>
  listed("connection", connectionColumns(shown.now), page, shown)

/** Events as lines, wrapped if they are long. */
export const eventLines = (events: ReadonlyArray<Event>, none: string, width: number = WIDTH): ReadonlyArray<string> =>
  events.length === 0 ? [none] : events.flatMap(({ fields, level, message, time }) => {
    const words = Object.entries(fields).map(([name, value]) => plain(`${name}=${value}`))
    const head = `${moment(time)}  ${level === "Warn" ? "WARN " : ""}${plain(message)}`
    return wrapped([head, ...words], width, { gap: GAP, indent: " ".repeat(21) })
  })

const limited = (count: number, most: number | undefined): string =>
  `${number(count)}${most === undefined ? "" : ` of ${number(most)}`}`

const memoryRows = ({ memory }: Overview): ReadonlyArray<readonly [string, string]> => {
  if (memory === undefined) return []
  const { buffers, freeBlocks, heapReserved, heapUsed, output, resident } = memory
  const kept = output === undefined || freeBlocks === undefined
    ? ""
    : ` (${octets(output)} for output, ${octets(freeBlocks)} free for requests that wait)`
  return [
    ["memory", `${octets(resident)}: heap ${octets(heapReserved)} (${octets(heapUsed)} in use),`],
    ["", `buffers ${octets(buffers)}${kept}`]
  ]
}

/** The last failure may be from another day than the first one or today: with nobody who logs in, nobody is looked up. */
const usersRows = ({ users = [] }: Overview): ReadonlyArray<readonly [string, string]> =>
  users.flatMap(({ outdated, unavailable, ...source }) => [
    ...unusableOf(source),
    ...unavailable === undefined ? [] : [
      `cannot be queried since ${moment(unavailable.since)}, last tried ${
        moment(unavailable.last)
      }: ${unavailable.reason}`
    ],
    ...outdated === undefined
      ? []
      : [`not read since ${moment(outdated.since)}, those from before stay: ${outdated.reason}`]
  ]).map((text) => ["users", plain(text)])

/** The certificate that ends first, because clients refuse one that has ended, and no connection of theirs says so. */
const certificateRow = ({ certificates = [], now }: Overview): ReadonlyArray<readonly [string, string]> =>
  [...certificates].sort((a, b) => a.notAfter - b.notAfter).slice(0, 1).map(({ names, notAfter }) => [
    "certificate",
    plain(`of ${names.join(", ")} `) +
    (notAfter <= now
      ? `EXPIRED on ${moment(notAfter)}: clients refuse it`
      : `ends on ${moment(notAfter)}, in ${duration(notAfter - now)}`)
  ])

/** The log cannot tell it while it cannot be written. */
const logRow = ({ logLinesLost: lost = 0 }: Overview): ReadonlyArray<readonly [string, string]> =>
  lost === 0
    ? []
    : [[
      "log",
      `${number(lost)} line${lost === 1 ? "" : "s"} lost since the start: disk full, or nobody reads`
    ]]

/** Spaces before the text of a row. */
const TEXT = 15

export const overviewLines = (one: Overview, where: string, width = Infinity): ReadonlyArray<string> => {
  const { rates } = one
  const rows: ReadonlyArray<readonly [string, string]> = [
    ["phase", `${one.phase} since ${moment(one.since)} (${duration(one.now - one.since)})`],
    ...one.notReady === undefined ? [] : [["not ready", plain(one.notReady.join("; "))] as const],
    ["process", `up ${duration(one.now - one.started)}, turns ${number(one.eventLoopDelay)} ms late`],
    ["sessions", limited(one.sessions, one.maxSessions)],
    ["connections", limited(one.connections, one.maxConnections)],
    ["waiting", octets(one.bufferedOctets)],
    ...memoryRows(one),
    ...usersRows(one),
    ...certificateRow(one),
    ...logRow(one),
    ["per second", `${number(rates.framesIn)} frames in (${octets(Math.round(rates.octetsIn))})`],
    ["", `${number(rates.forwarded)} requests passed on, ${number(rates.refused)} refused`],
    [
      "",
      `${number(rates.authsGranted)} logins, ${number(rates.failedAuths)} failed, ${
        number(rates.undecidedAuths)
      } undecided`
    ]
  ]
  return [
    `msrp-relay ${one.version} at ${where}`,
    ...rows.flatMap(([name, text]) => {
      const lines = wrapped(text.split(" "), width - TEXT)
      return lines.map((line, index) => (index === 0 ? `  ${name}` : "").padEnd(TEXT) + line)
    })
  ]
}

export const reloadLines = ({ changed, needsRestart, problems, warnings = [] }: Reloaded): ReadonlyArray<string> => [
  ...problems.length > 0
    ? [
      "Nothing was reloaded, because there are problems:",
      ...problems.map((one) => `  ${one.setting}: ${one.problem}`)
    ]
    : changed.length > 0
    ? [`In force now: ${changed.join(", ")}`]
    : ["The settings are as before; users and certificates were read again"],
  ...needsRestart.length > 0 ? [`Changed, and in force after a restart: ${needsRestart.join(", ")}`] : [],
  ...warnings.length > 0 ? ["Warnings:", ...warnings.map((one) => `  ${one}`)] : []
]
