/** The demo page: it logs in at the relay that serves it, and the tabs of a browser can write to each other through that relay. */
import { byId, inputById, setText } from "../../admin/page/dom.ts"
import { connect, type Msrp, type StateChange } from "../../browser/index.ts"
import { type Access, forget, fragmentOf, keep, takeAccess } from "./access.ts"
import { Room } from "./room.ts"
import { faultOf, loginProblem, nextTry } from "./words.ts"

/** Milliseconds between updates of the countdown. */
const TICK = 250

const names = { connecting: "Connecting", open: "Connected", waiting: "Connection lost", closed: "Not logged in" }

class Page {
  #msrp: Msrp | undefined
  #room: Room | undefined
  #access: Access | undefined
  #countdown: ReturnType<typeof setInterval> | undefined
  /** Number of the current login. Results of earlier ones are ignored. */
  #attempt = 0

  constructor() {
    byId("login-form").addEventListener("submit", (event) => {
      event.preventDefault()
      void this.#login({ user: inputById("user").value, password: inputById("password").value })
    })
    byId("me").addEventListener("submit", (event) => {
      event.preventDefault()
      inputById("name").blur()
    })
    inputById("name").addEventListener("change", () => {
      inputById("name").value = this.#room?.rename(inputById("name").value) ?? ""
    })
    byId("logout").addEventListener("click", () => void this.#logout())
    for (const id of ["another", "second"]) byId(id).addEventListener("click", () => this.#open())
    // Opening another link of this page in the same tab only changes the fragment.
    addEventListener("hashchange", () => this.run())
    addEventListener("pagehide", () => this.#room?.close())
    addEventListener("pageshow", ({ persisted }) => {
      if (persisted) location.reload()
    })
    // Otherwise the browser would open a file that is dropped outside a conversation, in place of the page.
    for (const name of ["dragover", "drop"]) addEventListener(name, (event) => event.preventDefault())
  }

  run(): void {
    const access = takeAccess()
    if (access !== undefined) void this.#login(access)
    else if (this.#msrp === undefined) this.#ask("")
  }

  async #login(access: Access): Promise<void> {
    const attempt = ++this.#attempt
    this.#leave()
    this.#state("connecting")
    setText(byId("login-problem"), "")
    inputById("login-button").disabled = true
    const { path = "/", relay = "" } = document.body.dataset
    try {
      const msrp = await connect({
        url: `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${path}`,
        username: access.user,
        password: access.password,
        ...(relay === "" ? {} : { relay })
      })
      if (attempt !== this.#attempt) return void msrp.close()
      keep(access)
      this.#access = access
      await this.#enter(msrp)
    } catch (error) {
      if (attempt === this.#attempt) this.#refused(error, access.user)
    } finally {
      if (attempt === this.#attempt) inputById("login-button").disabled = false
    }
  }

  async #enter(msrp: Msrp): Promise<void> {
    this.#msrp = msrp
    const room = this.#room = new Room(msrp)
    byId("login").hidden = true
    byId("main").hidden = false
    byId("me").hidden = false
    inputById("password").value = ""
    inputById("name").value = room.name
    this.#state(msrp.state)
    msrp.addEventListener("state", ({ detail }) => {
      if (this.#msrp === msrp) this.#changed(detail)
    })
    room.onName = (name) => {
      inputById("name").value = name
    }
    await room.open()
    room.focus()
  }

  #changed({ error, retryIn, state }: StateChange): void {
    this.#state(state, retryIn)
    if (state === "closed") this.#refused(error, this.#access?.user ?? "")
    else this.#room?.connected(state === "open")
  }

  #refused(error: unknown, user: string): void {
    const fault = faultOf(error)
    if (fault?.reason === "Login") forget()
    inputById("user").value = user
    this.#ask(loginProblem(fault))
  }

  async #logout(): Promise<void> {
    const msrp = this.#msrp
    forget()
    this.#attempt++
    this.#ask("")
    await msrp?.close()
  }

  #open(): void {
    if (this.#access !== undefined) open(`${location.pathname}${fragmentOf(this.#access)}`, "_blank", "noopener")
  }

  #ask(problem: string): void {
    this.#leave()
    this.#access = undefined
    this.#state("closed")
    byId("main").hidden = true
    byId("me").hidden = true
    byId("login").hidden = false
    setText(byId("login-problem"), problem)
    inputById(inputById("user").value === "" ? "user" : "password").focus()
  }

  #leave(): void {
    const msrp = this.#msrp
    this.#msrp = undefined
    this.#room?.close()
    this.#room = undefined
    void msrp?.close()
  }

  /** Shows the state. Screen readers read it out, so the countdown is in another element. */
  #state(state: StateChange["state"], retryIn?: number): void {
    byId("state").dataset["state"] = state === "waiting" ? "lost" : state
    setText(byId("state"), names[state])
    clearInterval(this.#countdown)
    byId("countdown").hidden = state !== "waiting" || retryIn === undefined
    if (state !== "waiting" || retryIn === undefined) return
    const end = performance.now() + retryIn * 1000
    const tick = (): void => setText(byId("countdown"), nextTry((end - performance.now()) / 1000))
    this.#countdown = setInterval(tick, TICK)
    tick()
  }
}

new Page().run()
