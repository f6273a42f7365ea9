/** One id, and behind commas more of the same RFC, where `..` stands for those in between. */
const LIST = /\bR(\d{4})((?:-[0-9A-Z][0-9.]*)?)-(\d\d)(?:\.\.(\d\d))?((?:, \d[0-9.]*-\d\d(?:\.\.\d\d)?(?![-\w]))*)/g
const MORE = /, (\d[0-9.]*)-(\d\d)(?:\.\.(\d\d))?/g

/** The requirements that a title names: `R4976-6.4.1-13`, `R4976-6.4.1-01..03`, `R4976-6.3-06, 7-02`. */
export const citations = (title: string): ReadonlyArray<string> => {
  const ids: Array<string> = []
  const add = (begin: string, first: string, last = first): void => {
    for (let n = Number(first); n <= Number(last); n++) ids.push(`${begin}-${String(n).padStart(2, "0")}`)
  }
  for (const [, rfc, section, first, last, more] of title.matchAll(LIST)) {
    add(`R${rfc}${section}`, first!, last)
    for (const [, other, from, to] of more!.matchAll(MORE)) add(`R${rfc}-${other}`, from!, to)
  }
  return ids
}
