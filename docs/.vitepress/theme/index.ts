/** The theme as it comes, with room for tables of several columns. */
// oxlint-disable-next-line import/no-unassigned-import -- a style sheet
import "./style.css"
export { default } from "vitepress/theme"
