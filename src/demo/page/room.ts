/** The other tabs, with a conversation for each. */
import { byId, make, setText } from "../../admin/page/dom.ts"
import type { Msrp } from "../../browser/index.ts"
import { Conversation, type ConversationOwner } from "./conversation.ts"
import { distinctName, nameOf, someName } from "./names.ts"
import { Neighbours, type NeighboursOwner } from "./neighbours.ts"
import { Shelf } from "./shelf.ts"

const CHANNEL = "msrp-demo"
/** Key of the name in the session storage. */
const NAME = "msrp-demo-name"
/** Conversations that are kept with tabs that have left. */
const MAX_LEFT = 20

interface Tab {
  readonly conversation: Conversation
  readonly item: HTMLElement
  readonly button: HTMLButtonElement
  readonly unread: HTMLElement
  /** Whether the path to the tab is known. */
  reachable: boolean
  /** Stops waiting for the lock of the tab, which it holds until it is closed. */
  watch: AbortController
}

export class Room implements NeighboursOwner, ConversationOwner {
  readonly shelf = new Shelf()
  /** Called when the name was changed because another tab has the same. */
  onName: (name: string) => void = () => {}
  readonly #msrp: Msrp
  readonly #tabs: Array<Tab> = []
  readonly #id = crypto.randomUUID()
  #neighbours: Neighbours | undefined
  #shown: Tab | undefined
  #name: string
  /** Whether the name is random, not typed. */
  #madeUp = true
  #isOpen = true
  #closed = false
  #release = (): void => {}
  readonly #seen = (): void => {
    if (!document.hidden && this.#shown !== undefined) this.#look(this.#shown)
  }

  constructor(msrp: Msrp) {
    this.#msrp = msrp
    this.#name = nameOf(sessionStorage.getItem(NAME) ?? "") || someName()
    sessionStorage.setItem(NAME, this.#name)
    byId("tabs").replaceChildren()
    byId("conversations").replaceChildren()
    this.#arrange()
    document.addEventListener("visibilitychange", this.#seen)
    msrp.addEventListener("path", () => this.#neighbours?.announce())
  }

  get name(): string {
    return this.#name
  }

  /** Announces this tab to the others. */
  async open(): Promise<void> {
    // This tab holds the lock until it is closed. Other tabs wait for it, and so notice that.
    await new Promise<void>((held) => {
      void navigator.locks.request(lockOf(this.#id), () =>
        new Promise<void>((release) => {
          this.#release = release
          held()
        }))
    })
    if (this.#closed) return this.#release()
    this.#neighbours = new Neighbours(this.#id, new BroadcastChannel(CHANNEL), this)
    this.#neighbours.announce()
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#neighbours?.close()
    this.#release()
    document.removeEventListener("visibilitychange", this.#seen)
    for (const { conversation, watch } of this.#tabs) {
      watch.abort()
      conversation.end()
    }
    document.title = "MSRP demo"
  }

  /** Changes the name of this tab if the text is valid, and gives the name that it has then. */
  rename(text: string): string {
    const name = nameOf(text)
    if (name !== "" && name !== this.#name) {
      this.#madeUp = false
      this.#called(name)
    }
    return this.#name
  }

  connected(isOpen: boolean): void {
    this.#isOpen = isOpen
    for (const tab of this.#tabs) this.#present(tab)
    this.#neighbours?.announce()
  }

  focus(): void {
    if (this.#shown === undefined) byId("second").focus()
    else this.#shown.conversation.focus()
  }

  // ---- the others

  met(id: string, name: string): void {
    const known = this.#of(id)
    if (known === undefined) this.#arrived(id, name)
    else if (known.conversation.name !== name) this.#named(known, name)
    // If two tabs have made up the same name, one of them takes another.
    if (this.#madeUp && name === this.#name && this.#id > id) {
      this.#called(distinctName(name, this.#tabs.map(({ conversation }) => conversation.name)))
      this.onName(this.#name)
    }
  }

  reached(id: string, path: string): void {
    const tab = this.#of(id)
    if (tab?.conversation.session === undefined) return
    tab.reachable = false
    try {
      if (path !== "") {
        tab.conversation.session.peer = path
        tab.reachable = true
      }
    } catch {
      // The path is not valid.
    }
    this.#present(tab)
  }

  left(id: string): void {
    const tab = this.#of(id)
    if (tab === undefined) return
    tab.watch.abort()
    tab.reachable = false
    tab.conversation.end()
    tab.conversation.present("left")
    this.#draw(tab)
    setText(byId("said"), `${tab.conversation.name} has left`)
    if (tab.conversation.isEmpty) this.#remove(tab)
    const gone = this.#tabs.filter(({ conversation }) => conversation.presence === "left")
    if (gone.length > MAX_LEFT) this.#remove(gone[0]!)
  }

  pathFor(id: string): string {
    return this.#isOpen ? this.#of(id)?.conversation.session?.path ?? "" : ""
  }

  #arrived(id: string, name: string): void {
    // A tab that was reloaded keeps its name, and continues its conversation.
    const before = this.#tabs.find(({ conversation }) => conversation.presence === "left" && conversation.name === name)
    const tab = before ?? this.#add(new Conversation(this, id, name))
    const { conversation } = tab
    conversation.id = id
    conversation.use(this.#msrp.session())
    tab.watch = new AbortController()
    const { signal } = tab.watch
    navigator.locks.request(lockOf(id), { mode: "shared", signal }, () => this.#neighbours?.forget(id)).catch(() => {
      // The wait was aborted.
    })
    this.#present(tab)
    setText(byId("said"), `${name} is here`)
    if (this.#shown === undefined) this.#show(tab, document.activeElement === byId("second"))
  }

  #named(tab: Tab, name: string): void {
    tab.conversation.named(name)
    this.#draw(tab)
  }

  #of(id: string): Tab | undefined {
    return this.#tabs.find(({ conversation }) => conversation.id === id)
  }

  #called(name: string): void {
    this.#name = name
    sessionStorage.setItem(NAME, name)
    this.#neighbours?.announce()
  }

  // ---- how it looks

  came(conversation: Conversation, words: string): void {
    setText(byId("said"), words)
    const tab = this.#tabs.find((one) => one.conversation === conversation)
    if (tab === undefined) return
    if (tab === this.#shown && !document.hidden) conversation.unread = 0
    this.#draw(tab)
  }

  #add(conversation: Conversation): Tab {
    const unread = make("span", "unread")
    const button = make("button", "tab", make("span", "name"), unread)
    button.type = "button"
    const item = make("li", "", button)
    const tab: Tab = { conversation, item, button, unread, reachable: false, watch: new AbortController() }
    button.addEventListener("click", () => this.#show(tab, true))
    this.#tabs.push(tab)
    byId("tabs").append(item)
    byId("conversations").append(conversation.element)
    conversation.element.hidden = true
    return tab
  }

  #remove(tab: Tab): void {
    this.#tabs.splice(this.#tabs.indexOf(tab), 1)
    tab.item.remove()
    tab.conversation.element.remove()
    if (this.#shown !== tab) return
    this.#shown = undefined
    const [other] = this.#tabs
    if (other !== undefined) this.#show(other, false)
    this.#arrange()
  }

  #show(tab: Tab, takesFocus: boolean): void {
    this.#shown = tab
    for (const one of this.#tabs) {
      one.conversation.element.hidden = one !== tab
      one.button.setAttribute("aria-current", String(one === tab))
    }
    this.#arrange()
    this.#look(tab)
    if (takesFocus) tab.conversation.focus()
  }

  #look(tab: Tab): void {
    tab.conversation.shown()
    this.#draw(tab)
  }

  #arrange(): void {
    byId("alone").hidden = this.#shown !== undefined
    byId("conversations").hidden = this.#shown === undefined
  }

  #present(tab: Tab): void {
    const { conversation, reachable } = tab
    // A tab that has left has no session until it returns.
    if (conversation.session !== undefined) conversation.present(!this.#isOpen ? "lost" : reachable ? "here" : "away")
    this.#draw(tab)
  }

  #draw({ button, conversation, unread }: Tab): void {
    button.dataset["presence"] = conversation.presence
    setText(button.firstElementChild!, conversation.name)
    setText(unread, conversation.unread === 0 ? "" : String(conversation.unread))
    const about = { here: "", away: ", not connected", lost: "", left: ", has left" }[conversation.presence]
    const waiting = conversation.unread === 0 ? "" : `, ${conversation.unread} unread`
    button.setAttribute("aria-label", `${conversation.name}${about}${waiting}`)
    const all = this.#tabs.reduce((sum, one) => sum + one.conversation.unread, 0)
    document.title = all === 0 ? "MSRP demo" : `(${all}) MSRP demo`
  }
}

const lockOf = (id: string): string => `${CHANNEL}-${id}`
