/** The tables of docs/configuration.md, made from the table of settings. */
import { settingsTable } from "../../../src/service/Settings.ts"

/** All settings in Markdown: a heading and a table for each group. */
export const settingTables = (): string =>
  [...Map.groupBy(settingsTable, ({ group }) => group)].map(([group, settings]) =>
    [
      `## ${group}`,
      "",
      "| Variable | Default | Meaning | Must be | Reload |",
      "| --- | --- | --- | --- | --- |",
      ...settings.map((setting) => {
        const opensips = setting.opensips === undefined ? "" : ` OpenSIPS: \`${setting.opensips}\`.`
        const cells = [
          `\`${setting.variable}\``,
          setting.default === undefined ? setting.absent : `\`${setting.default}\``,
          `${setting.meaning}${opensips}`,
          `${setting.expects}; \`${setting.example}\``,
          setting.reload
        ]
        return `| ${cells.join(" | ")} |`
      })
    ].join("\n")
  ).join("\n\n")
