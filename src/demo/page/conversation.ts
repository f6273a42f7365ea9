/** A conversation with another tab, over one MSRP session (RFC 4975 §4) at a time. */
import { make, setClass, setText } from "../../admin/page/dom.ts"
import { octets, timeOfDay } from "../../admin/page/numbers.ts"
import type { IncomingFile, Message, Session } from "../../browser/index.ts"
import type { Shelf } from "./shelf.ts"
import { Transfer } from "./transfer.ts"
import { deliveredIn, faultOf, inAll, receiptProblem, receiveProblem, sendProblem, TAKEN } from "./words.ts"

/** Messages and files that are shown. Beyond it, the oldest are removed. */
const MAX_ENTRIES = 300
/** Characters of a message that can be typed. */
const MAX_TEXT = 20_000
/** Octets of a received message. Longer ones are refused. */
const MAX_SHOWN = 262_144
/** Octets of a file, sent or received. */
const MAX_FILE = 1_073_741_824
/** Files that wait to be sent. */
const MAX_FILES = 50
/** Pixels from the end of the log within which it still counts as scrolled down. */
const NEAR = 60

/** `here`: can be written to. `away`: has no connection. `lost`: this tab has no connection. `left`: was closed. */
export type Presence = "here" | "away" | "lost" | "left"

const abouts: Readonly<Record<Presence, string>> = {
  here: "another tab of this browser",
  away: "not connected",
  lost: "another tab of this browser",
  left: "has left"
}

const hints: Readonly<Record<Presence, string>> = {
  here: "",
  away: "This tab has no connection to the relay now. It can be written to when it is back.",
  lost: "Your connection to the relay is lost. You can write again when it is back.",
  left: "The other tab was closed."
}

export interface ConversationOwner {
  readonly shelf: Shelf
  /** Called when a message or file has arrived, with a short description. */
  came(conversation: Conversation, words: string): void
}

let number = 0

export class Conversation {
  readonly element: HTMLElement
  /** Messages and files that were not looked at yet. */
  unread = 0
  /** Id of the other tab. It changes when that tab is reloaded. */
  id: string
  readonly #owner: ConversationOwner
  readonly #title = make("span")
  readonly #about = make("small")
  readonly #log = make("ol", "log")
  readonly #hint = make("p", "notice hint")
  readonly #text = make("textarea")
  readonly #send = make("button", "main", "Send")
  readonly #attach = make("button", "", "Files…")
  readonly #drop = make("div", "drop", "Drop files to send them")
  #name: string
  #presence: Presence = "away"
  #session: Session | undefined
  /** Completes when all files are sent. They are sent one after the other, so that each is as fast as possible. */
  #sending: Promise<void> = Promise.resolve()
  #waiting = 0
  /** What is drawn with the next frame. */
  readonly #undrawn: Array<HTMLElement> = []
  /** Something of one's own is among it, which is wanted to be seen. */
  #follows = false

  constructor(owner: ConversationOwner, id: string, name: string) {
    this.#owner = owner
    this.id = id
    this.#name = name
    const heading = make("h2", "", this.#title, this.#about)
    heading.id = `conversation-${++number}`
    this.#log.setAttribute("role", "log")
    this.#log.setAttribute("aria-relevant", "additions")
    this.#log.tabIndex = 0
    this.#text.id = `${heading.id}-text`
    this.#text.rows = 1
    this.#text.maxLength = MAX_TEXT
    this.#text.placeholder = "Message"
    const label = make("label", "unseen", "Message")
    label.htmlFor = this.#text.id
    const form = make("form", "composer", label, this.#text, this.#attach, this.#send)
    this.element = make("section", "panel conversation", heading, this.#log, this.#hint, form, this.#drop)
    this.element.setAttribute("aria-labelledby", heading.id)
    this.#log.setAttribute("aria-labelledby", heading.id)
    this.#drop.hidden = true
    this.#listen(form)
    this.named(name)
    this.present("away")
  }

  get name(): string {
    return this.#name
  }

  get presence(): Presence {
    return this.#presence
  }

  /** Whether there are no messages or files. */
  get isEmpty(): boolean {
    return this.#log.childElementCount === 0 && this.#undrawn.length === 0
  }

  get session(): Session | undefined {
    return this.#session
  }

  /** Continues on another session. */
  use(session: Session): void {
    this.#session?.close()
    this.#session = session
    void this.#take(session.messages, (message) => this.#message(message))
    void this.#take(session.incoming, (file) => this.#file(file))
  }

  named(name: string): void {
    this.#name = name
    setText(this.#title, name)
  }

  present(presence: Presence): void {
    this.#presence = presence
    const isHere = presence === "here"
    this.#send.disabled = !isHere
    this.#attach.disabled = !isHere
    this.#hint.hidden = isHere
    setText(this.#about, abouts[presence])
    setText(this.#hint, hints[presence])
  }

  focus(): void {
    this.#text.focus()
  }

  /** Called when the conversation is shown: scrolls down to new messages. */
  shown(): void {
    this.unread = 0
    this.#log.scrollTop = this.#log.scrollHeight
  }

  end(): void {
    this.#session?.close()
    this.#session = undefined
  }

  // ---- what is sent

  #listen(form: HTMLFormElement): void {
    form.addEventListener("submit", (event) => {
      event.preventDefault()
      this.#submit()
    })
    this.#text.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return
      event.preventDefault()
      this.#submit()
    })
    const input = make("input")
    input.type = "file"
    input.multiple = true
    input.hidden = true
    form.append(input)
    input.addEventListener("change", () => {
      this.#files(input.files)
      input.value = ""
    })
    this.#attach.type = "button"
    this.#attach.setAttribute("aria-label", "Send files")
    this.#attach.addEventListener("click", () => input.click())
    this.element.addEventListener("paste", ({ clipboardData }) => this.#files(clipboardData?.files))
    // Events of inner elements are counted too: the pointer is over this element until all enters are left.
    let over = 0
    const entered = (by: number) => (event: DragEvent): void => {
      if (!(event.dataTransfer?.types.includes("Files") ?? false)) return
      over = Math.max(0, over + by)
      this.#drop.hidden = over === 0 || this.#presence !== "here"
    }
    this.element.addEventListener("dragenter", entered(1))
    this.element.addEventListener("dragleave", entered(-1))
    this.element.addEventListener("drop", (event) => {
      over = 0
      this.#drop.hidden = true
      this.#files(event.dataTransfer?.files)
    })
  }

  #submit(): void {
    const text = this.#text.value.trimEnd()
    if (text.trim() === "" || this.#session === undefined || this.#presence !== "here") return
    this.#text.value = ""
    void this.#say(this.#session, text)
  }

  async #say(session: Session, text: string): Promise<void> {
    const meta = this.#entry("own", make("div", "bubble", text), "sending")
    const began = performance.now()
    try {
      const { delivered } = await session.send(text, { receipt: true })
      await this.#receipt(delivered, meta, began)
    } catch (error) {
      this.#meta(meta, sendProblem(faultOf(error)), true)
    }
  }

  async #receipt(delivered: Promise<unknown>, meta: HTMLElement, began: number): Promise<void> {
    this.#meta(meta, TAKEN)
    try {
      await delivered
      this.#meta(meta, deliveredIn(performance.now() - began))
    } catch (error) {
      this.#meta(meta, receiptProblem(faultOf(error)), faultOf(error)?.reason === "Failed")
    }
  }

  #files(files: FileList | null | undefined): void {
    if (this.#presence !== "here") return
    for (const file of files ?? []) this.#queue(file)
  }

  #queue(file: File): void {
    const stop = new AbortController()
    const transfer = new Transfer({
      name: file.name,
      total: file.size,
      what: "Sending",
      stopName: "Stop",
      stop: () => stop.abort()
    })
    const meta = this.#entry("own", transfer.element, "")
    const problem = file.size > MAX_FILE
      ? `not sent: it has more than ${octets(MAX_FILE)}`
      : this.#waiting >= MAX_FILES
      ? `not sent: ${MAX_FILES} files wait already`
      : undefined
    if (problem !== undefined) return transfer.ends("bad", problem)
    this.#waiting++
    transfer.says("waiting")
    this.#sending = this.#sending.then(() => this.#upload(file, transfer, meta, stop.signal))
  }

  async #upload(file: File, transfer: Transfer, meta: HTMLElement, signal: AbortSignal): Promise<void> {
    this.#waiting--
    const session = this.#session
    if (session === undefined || signal.aborted) return transfer.ends("bad", signal.aborted ? "stopped" : "not sent")
    const began = performance.now()
    try {
      const { delivered } = await session.send(file, {
        receipt: true,
        signal,
        onProgress: ({ acknowledged }) => transfer.is(acknowledged)
      })
      const time = performance.now() - began
      transfer.ends("done", time < 50 ? "sent" : `sent · ${octets(file.size / time * 1000)}/s`)
      // The next file does not wait for the receipt.
      void this.#receipt(delivered, meta, began)
    } catch (error) {
      transfer.ends("bad", sendProblem(faultOf(error)))
    }
  }

  // ---- what comes

  async #take<A>(from: AsyncIterable<A>, take: (one: A) => Promise<void>): Promise<void> {
    for await (const one of from) void take(one)
  }

  async #message(message: Message): Promise<void> {
    if ((message.size ?? 0) > MAX_SHOWN) return message.refuse()
    try {
      const text = await message.text()
      this.#entry("theirs", make("div", "bubble", text), "")
      this.#came(`${this.#name}: ${text.slice(0, 200)}`)
    } catch {
      // The message is incomplete. Its sender knows that.
    }
  }

  async #file(file: IncomingFile): Promise<void> {
    if ((file.size ?? 0) > MAX_FILE) return file.refuse()
    const transfer = new Transfer({
      name: file.name,
      total: file.size,
      what: "Receiving",
      stopName: "Refuse",
      stop: () => file.refuse()
    })
    this.#entry("theirs", transfer.element, "")
    this.#came(`${this.#name} sends ${file.name}`)
    try {
      const blob = await file.blob({ onProgress: ({ received }) => transfer.is(received) })
      const link = make("a", "", "Download")
      link.href = this.#owner.shelf.put(blob, () => transfer.ends("done", "not kept any more: there were too many"))
      link.download = file.name
      link.setAttribute("aria-label", `Download ${file.name}`)
      transfer.element.dataset["link"] = link.href
      transfer.ends("done", inAll(blob.size, transfer.time), link)
      this.#came(`${file.name} has come`)
    } catch (error) {
      transfer.ends("bad", receiveProblem(faultOf(error)))
    }
  }

  #came(words: string): void {
    this.unread++
    this.#owner.came(this, words)
  }

  // ---- how it looks

  #entry(whose: "own" | "theirs", bubble: HTMLElement, state: string): HTMLElement {
    const meta = make("div", "meta")
    meta.dataset["time"] = timeOfDay(Date.now())
    this.#meta(meta, state)
    const who = make("span", "unseen", whose === "own" ? "You: " : `${this.#name}: `)
    this.#undrawn.push(make("li", `entry ${whose}`, who, bubble, meta))
    if (whose === "own") this.#follows = true
    if (this.#undrawn.length === 1) requestAnimationFrame(() => this.#draw())
    else if (this.#undrawn.length > MAX_ENTRIES) this.#forget(this.#undrawn.shift()!)
    return meta
  }

  /** All at once: where the log is scrolled to is known only when it is laid out, and to do that for each stops the page. */
  #draw(): void {
    const { clientHeight, scrollHeight, scrollTop } = this.#log
    const isAtEnd = this.#follows || scrollHeight - scrollTop - clientHeight < NEAR
    this.#follows = false
    this.#log.append(...this.#undrawn.splice(0))
    while (this.#log.childElementCount > MAX_ENTRIES) this.#forget(this.#log.firstElementChild!)
    if (isAtEnd) this.#log.scrollTop = this.#log.scrollHeight
  }

  #meta(meta: HTMLElement, state: string, isBad = false): void {
    setClass(meta, isBad ? "meta bad" : "meta")
    setText(meta, state === "" ? meta.dataset["time"]! : `${meta.dataset["time"]!} · ${state}`)
  }

  #forget(entry: Element): void {
    const link = entry.querySelector<HTMLElement>("[data-link]")?.dataset["link"]
    entry.remove()
    if (link !== undefined) this.#owner.shelf.drop(link)
  }
}
