/** Names of tabs: random at first, and then as typed. */

/** Characters of a name. */
export const MAX_NAME = 40

const COLOURS = [
  "Amber",
  "Blue",
  "Coral",
  "Golden",
  "Green",
  "Indigo",
  "Ivory",
  "Olive",
  "Purple",
  "Red",
  "Silver",
  "Teal"
]
const ANIMALS = [
  "Badger",
  "Crane",
  "Dolphin",
  "Falcon",
  "Fox",
  "Heron",
  "Lynx",
  "Otter",
  "Owl",
  "Panda",
  "Raven",
  "Seal"
]

/** A random name, one of 144. */
export const someName = (random: () => number = Math.random): string => {
  const of = (list: ReadonlyArray<string>): string => list[Math.floor(random() * list.length)]!
  return `${of(COLOURS)} ${of(ANIMALS)}`
}

/** A name that can be shown in one line. Empty if nothing of it can be. */
export const nameOf = (text: string): string =>
  Array.from(text.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, " ").replaceAll(/\s+/g, " ").trim()).slice(0, MAX_NAME).join("")
    .trim()

/** The name, with a number after it if another tab has the same. */
export const distinctName = (name: string, others: Iterable<string>): string => {
  const taken = new Set(others)
  let one = name
  for (let i = 2; taken.has(one); i++) one = `${name.slice(0, MAX_NAME - 4)} ${i}`
  return one
}
