/** A column: its title, its width, and the text of its cells; `undefined` for an empty cell. */
export type Column<R> = readonly [title: string, width: number, cell: (row: R) => string | undefined]

/** Prints each row when it is added. A column of negative width is aligned to the left. */
export class Table<R> {
  private readonly columns: ReadonlyArray<Column<R>>
  private readonly print: (line: string) => void

  constructor(columns: ReadonlyArray<Column<R>>, print: (line: string) => void) {
    this.columns = columns
    this.print = print
    this.line(([title]) => title)
  }

  row(row: R): void {
    this.line(([, , cell]) => cell(row) ?? "")
  }

  private line(text: (column: Column<R>) => string): void {
    const cells = this.columns.map((column) => {
      const width = column[1]
      return width < 0 ? text(column).padEnd(-width) : text(column).padStart(width)
    })
    this.print(cells.join("").trimEnd())
  }
}
