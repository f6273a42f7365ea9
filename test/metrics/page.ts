/** A page in Prometheus' text format, read by a reader of the tests' own. */

/** By name and labels, as `name{a="1",b="2"}` with the labels in alphabetical order. */
export type Page = ReadonlyMap<string, number>

export const readPage = (text: string): Page =>
  new Map(
    text.split("\n").filter((line) => line !== "" && !line.startsWith("#")).map((line) => {
      const [, name, labels = "", value] = /^([a-z_]+)(?:\{(.*)\})? (\S+)$/.exec(line)!
      const sorted = [...labels.matchAll(/[a-z_]+="[^"]*"/g)].map(([one]) => one).toSorted()
      return [sorted.length === 0 ? name! : `${name}{${sorted.join(",")}}`, Number(value!.replace("Inf", "Infinity"))]
    })
  )

/** A series of the relay; the prefix is left out. */
export const valueOf = (page: Page, series: string): number => {
  const value = page.get(`msrp_relay_${series}`)
  if (value === undefined) throw new Error(`no ${series} on the page`)
  return value
}
