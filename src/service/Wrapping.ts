/** Wraps text for a terminal, or for a file that people read. */

/** Characters of a text; one outside of the basic plane is one character. */
export const lengthOf = (text: string): number => Array.from(text).length

/**
 * Joins words, with a gap between them, to lines of at most `width` characters, all but the first behind an indent. A word that
 * is longer is not broken.
 */
export const wrapped = (
  words: ReadonlyArray<string>,
  width: number,
  { gap = " ", indent = "" }: { readonly gap?: string; readonly indent?: string } = {}
): ReadonlyArray<string> => {
  const lines: Array<string> = []
  for (const word of words) {
    const last = lines.at(-1)
    if (last !== undefined && lengthOf(last) + gap.length + lengthOf(word) <= width) {
      lines[lines.length - 1] = `${last}${gap}${word}`
    } else lines.push(last === undefined ? word : indent + word)
  }
  return lines
}
