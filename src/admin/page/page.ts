/** The status page of a relay, which may stay open for days. */
import type { Status, StatusEvent, StatusHealth, StatusSnapshot } from "../status/Shapes.ts"
import { Chart } from "./charts.ts"
import { byId, inputById, keep, make, setText } from "./dom.ts"
import { Feed, type FeedOwner } from "./feed.ts"
import { History } from "./history.ts"
import { amount, count, dayAndTime, daysUntil, duration, millis, NONE, octets, rate, timeOfDay } from "./numbers.ts"
import { Person } from "./person.ts"
import { drawCertificates, drawEvents, drawFigures, drawMeters, drawTop, drawTrouble, type Meter } from "./tables.ts"

/** Maximum number of events that are shown. */
const MAX_EVENTS = 30

type State = "connecting" | "serving" | "draining" | "stopping" | "lost"

const names = { connecting: "Connecting", serving: "Serving", draining: "Draining", stopping: "Stopping" }

class Page implements FeedOwner {
  readonly #main = byId("main")
  readonly #history = new History()
  #events: Array<StatusEvent> = []
  readonly #charts = [
    new Chart("chart-sessions", [
      { column: "sessions", name: "sessions", colour: "one" },
      { column: "connections", name: "connections", colour: "two" }
    ], count),
    new Chart("chart-requests", [
      { column: "messagesIn", name: "in", colour: "one" },
      { column: "messagesOut", name: "out", colour: "two" }
    ], rate),
    new Chart("chart-octets", [
      { column: "octetsIn", name: "in", colour: "one" },
      { column: "octetsOut", name: "out", colour: "two" }
    ], octets),
    new Chart("chart-delays", [
      { column: "loopDelay", name: "event loop", colour: "one" },
      { column: "backendDelay", name: "user look-up", colour: "two" }
    ], (value) => `${millis(value)} ms`)
  ]
  readonly #feed = new Feed(this)
  readonly #person = new Person(this.#feed)
  #status: Status | undefined
  /** Events that the page started with. The stream was opened before, and may repeat some of them. */
  #told = new Set<string>()

  constructor() {
    const form = byId("token").querySelector("form")!
    form.addEventListener("submit", (event) => {
      event.preventDefault()
      const input = inputById("token-value")
      this.#feed.use(input.value.trim())
      input.value = ""
    })
  }

  run(): void {
    void this.#feed.run()
  }

  began(status: Status): void {
    const isFirst = this.#status === undefined
    this.#status = status
    byId("token").hidden = true
    byId("search").hidden = false
    this.#main.hidden = false
    this.#history.begin(status.samples)
    this.#events = status.events.toReversed()
    this.#told = new Set(status.events.map((event) => JSON.stringify(event)))
    this.snapshot(status.snapshot)
    if (isFirst || location.hash !== "") this.#person.follow()
  }

  snapshot(snapshot: StatusSnapshot): void {
    const status = this.#status
    if (status === undefined) return
    const { endings, health, phase, sample, time, top, trouble, waiting } = snapshot
    this.#state(phase, names[phase])
    this.#main.classList.remove("stale")
    this.#notice(noticeOf(snapshot))
    this.#history.add(sample, status.window)
    this.#facts(status, time)
    const unit = ([value, unit]: readonly [string, string], per: string) => ({ value, unit: `${unit}${per}` })
    drawFigures(byId("sessions"), [
      { label: "sessions", value: count(sample.sessions), line: "one" },
      { label: "connections", value: count(sample.connections), line: "two" }
    ])
    drawFigures(byId("requests"), [
      { label: "in", value: rate(sample.messagesIn), line: "one" },
      { label: "out", value: rate(sample.messagesOut), line: "two" }
    ])
    drawFigures(byId("octets"), [
      { label: "in", ...unit(amount(sample.octetsIn), "/s"), line: "one" },
      { label: "out", ...unit(amount(sample.octetsOut), "/s"), line: "two" }
    ])
    drawFigures(byId("delays"), [
      { label: "event loop", value: millis(sample.loopDelay), unit: "ms", line: "one" },
      ...(health.backend === undefined
        ? []
        : [{ label: "user look-up", value: millis(sample.backendDelay), unit: "ms", line: "two" as const }])
    ])
    for (const chart of this.#charts) chart.draw(this.#history, status.interval, status.window)
    drawTrouble(byId("trouble"), trouble)
    drawMeters(byId("health"), meters(health, waiting))
    const certificates = health.certificates ?? []
    byId("certificates-panel").hidden = certificates.length === 0
    drawCertificates(
      byId("certificates"),
      certificates.map(({ names, notAfter }) => ({ names, notAfter, days: daysUntil(notAfter, time) }))
    )
    drawTop(byId("top"), top, time)
    drawEvents(byId("endings"), endings.toReversed(), { empty: "None since the relay started." })
    drawEvents(byId("events"), this.#events, { empty: "Nothing yet." })
    this.#person.tick(performance.now(), time)
    document.title = `${count(sample.sessions)} sessions${phase === "serving" ? "" : `, ${phase}`} – MSRP relay`
  }

  happened(event: StatusEvent): void {
    if (this.#told.delete(JSON.stringify(event))) return
    this.#events.unshift(event)
    if (this.#events.length > MAX_EVENTS) this.#events.pop()
    this.#person.happened(event)
  }

  lost(since: number | undefined, reason: string | undefined): void {
    this.#state(
      "lost",
      since !== undefined
        ? `Connection lost since ${timeOfDay(since)}`
        : reason === undefined
        ? "The relay does not answer"
        : "The relay refuses this page"
    )
    this.#notice(reason)
    this.#main.classList.add("stale")
    document.title = "Connection lost – MSRP relay"
  }

  wantsToken(wrong: boolean): void {
    setText(byId("token-problem"), wrong ? "The relay does not take this token." : "")
    this.#state("connecting", "Waiting for the token")
    this.#notice(undefined)
    this.#main.hidden = true
    byId("search").hidden = true
    byId("token").hidden = false
    byId("token-value").focus()
  }

  /** Screen readers read changes aloud, so the element changes only if the state does. */
  #state(state: State, text: string): void {
    const element = byId("state")
    if (element.dataset["state"] !== state) element.dataset["state"] = state
    setText(element, text)
  }

  #notice(text: string | undefined): void {
    byId("notice").hidden = text === undefined
    setText(byId("notice"), text ?? "")
  }

  #facts({ listeners, since, version }: Status, now: number): void {
    const facts = [
      ["Version", version],
      ["Since", `${dayAndTime(since)} (${duration(Math.max(0, now - since))})`],
      ["Listens at", listeners.length === 0 ? NONE : listeners.join("  ")]
    ] as const
    keep(byId("facts"), facts.length, () => make("div", "", make("dt"), make("dd"))).forEach((fact, at) => {
      setText(fact.children[0]!, facts[at]![0])
      setText(fact.children[1]!, facts[at]![1])
    })
  }
}

/** Milliseconds of delay of the event loop that deserve attention. */
const LATE = 50

/** Milliseconds of delay of the event loop that users notice. */
const TOO_LATE = 250
/** Share of a limit that deserves attention. */
const MUCH = 0.8

/** Share of a limit that is close to failure. */
const TOO_MUCH = 0.95

/** What keeps clients out now, which must be seen without reading all panels. */
const noticeOf = ({ health, notReady = [], phase, sample, time }: StatusSnapshot): string | undefined => {
  const { backend: { down } = {}, certificates = [] } = health
  const parts = [
    ...(phase === "draining"
      ? [`Draining: no new sessions; ${count(sample.sessions)} still go on.`]
      : phase === "stopping"
      ? ["Stopping: all connections are being closed."]
      : notReady.length > 0
      ? [`Not ready for new clients: ${notReady.join("; ")}.`]
      : []),
    ...(down === undefined ? [] : [`Users cannot be looked up since ${dayAndTime(down.since)}: logins fail.`]),
    ...(certificates.some(({ notAfter }) => notAfter <= time) ? ["A certificate has ended: clients refuse it."] : [])
  ]
  return parts.length === 0 ? undefined : parts.join(" ")
}

const toneOf = (value: number, much: number, tooMuch: number): "" | "warn" | "bad" =>
  value >= tooMuch ? "bad" : value >= much ? "warn" : ""

const meters = (
  { backend, descriptors, heap, logLinesLost = 0, loop }: StatusHealth,
  waiting: number
): ReadonlyArray<Meter> => {
  const filled = (name: string, value: number, limit: number, text: (value: number) => string): Meter => ({
    name,
    text: `${text(value)} of ${text(limit)}`,
    part: limit > 0 ? value / limit : 0,
    tone: toneOf(limit > 0 ? value / limit : 0, MUCH, TOO_MUCH)
  })
  return [
    {
      name: "Event loop delay",
      // No-break spaces keep a number and its unit on one line.
      text: [`${millis(loop.p50)} ms`, `99 %: ${millis(loop.p99)} ms`, `most: ${millis(loop.max)} ms`]
        .map((part) => part.replaceAll(" ", "\u00a0")).join(" · "),
      tone: toneOf(loop.p99, LATE, TOO_LATE)
    },
    filled("Heap", heap.used, heap.limit, octets),
    { name: "Memory of the process", text: octets(heap.resident) },
    { name: "Waits to be sent", text: octets(waiting) },
    ...(descriptors === undefined ? [] : [filled("Descriptors", descriptors.open, descriptors.limit, count)]),
    ...(backend === undefined ? [] : [
      {
        name: "User look-up",
        ...(backend.down === undefined
          ? {
            text: backend.p99 === undefined
              ? "not asked lately"
              : `${millis(backend.p50)} ms · 99 %: ${millis(backend.p99)} ms`
          }
          : { text: `down since ${dayAndTime(backend.down.since)}: ${backend.down.reason}`, tone: "bad" as const })
      },
      ...(backend.outdated === undefined ? [] : [{
        name: "Users",
        text: `not read since ${
          dayAndTime(backend.outdated.since)
        }, those from before stay: ${backend.outdated.reason}`,
        tone: "bad" as const
      }]),
      ...(backend.unusable ?? []).map((text) => ({ name: "Users", text, tone: "bad" as const })),
      {
        name: "Failed look-ups",
        text: count(backend.errors),
        tone: backend.errors > 0 ? "warn" as const : "" as const
      }
    ]),
    ...(logLinesLost === 0
      ? []
      : [{ name: "Lost lines of the log", text: count(logLinesLost), tone: "warn" as const }])
  ]
}

new Page().run()
