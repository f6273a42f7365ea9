/** A file in a conversation: its name, its progress, and a button to stop it. */
import { make, setText } from "../../admin/page/dom.ts"
import { octets } from "../../admin/page/numbers.ts"
import { howFar } from "./words.ts"

/** Milliseconds between updates of the progress. */
const OFTEN = 100

export class Transfer {
  readonly element: HTMLElement
  readonly #bar: HTMLProgressElement
  readonly #text = make("span")
  readonly #row: HTMLElement
  readonly #total: number | undefined
  readonly #began = performance.now()
  #told = 0

  /** `total` is in octets, if known. `what` is "Sending" or "Receiving". The button `stopName` calls `stop`. */
  constructor(
    { name, stop, stopName, total, what }: {
      readonly name: string
      readonly total: number | undefined
      readonly what: string
      readonly stopName: string
      readonly stop: () => void
    }
  ) {
    this.#total = total
    this.#bar = make("progress")
    this.#bar.setAttribute("aria-label", `${what} ${name}`)
    if (total !== undefined) {
      this.#bar.max = Math.max(1, total)
      this.#bar.value = 0
    }
    const button = make("button", "", stopName)
    button.type = "button"
    button.setAttribute("aria-label", `${stopName} ${name}`)
    button.addEventListener("click", () => {
      button.disabled = true
      stop()
    })
    this.#row = make("div", "row", this.#text, button)
    const size = make("span", "size", total === undefined ? "" : octets(total))
    this.element = make("div", "bubble file", make("div", "title", make("b", "", name), size), this.#bar, this.#row)
  }

  /** Milliseconds since the start. */
  get time(): number {
    return performance.now() - this.#began
  }

  /** Shows that `done` octets are transferred. */
  is(done: number): void {
    const now = performance.now()
    // Drawing for each chunk would take longer than sending.
    if (now - this.#told < OFTEN) return
    this.#told = now
    if (this.#total === undefined) {
      setText(this.#text, octets(done))
      return
    }
    this.#bar.value = done
    setText(this.#text, howFar(done, this.#total, now - this.#began))
  }

  says(text: string): void {
    setText(this.#text, text)
  }

  /** Shows the result, and `instead` in place of the button. */
  ends(tone: "done" | "bad", text: string, instead?: HTMLElement): void {
    const hadFocus = this.#row.contains(document.activeElement)
    this.#bar.className = tone
    if (tone === "done") {
      this.#bar.max = 1
      this.#bar.value = 1
    } else if (this.#total === undefined) {
      this.#bar.value = 0
    }
    setText(this.#text, text)
    this.#row.replaceChildren(this.#text, ...(instead === undefined ? [] : [instead]))
    if (hadFocus) instead?.focus()
  }
}
