/** The package as npm has it, in a project of its own: an empty folder where it is installed. */
import { execFileSync, spawn, spawnSync, type SpawnSyncReturns } from "node:child_process"
import { once } from "node:events"
import { cpSync, existsSync, mkdirSync, mkdtempSync, realpathSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { connects, eventually } from "../support/service.ts"

export const root = fileURLToPath(new URL("../..", import.meta.url))

export const temporary = (): string => realpathSync(mkdtempSync(join(tmpdir(), "msrp-packed-")))

const npm = (cwd: string, ...args: ReadonlyArray<string>): string =>
  execFileSync("npm", [...args, "--no-audit", "--no-fund", "--prefer-offline"], {
    cwd,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"]
  })

/** Packs what is in the repository now, built in a copy, so that nobody else misses `dist` meanwhile. Gives the file. */
export const pack = (folder: string): string => {
  const copy = join(folder, "repository")
  const files = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
    cwd: root,
    encoding: "utf8"
  })
  // A file may be there no more, and a folder of modules may be a link to that of another checkout.
  const packed = files.split("\0").filter((file) =>
    file !== "" && existsSync(join(root, file)) && !/^(?:test|bench)\/|(?:^|\/)node_modules$/.test(file)
  )
  for (const file of packed) {
    mkdirSync(dirname(join(copy, file)), { recursive: true })
    cpSync(join(root, file), join(copy, file))
  }
  for (const modules of ["node_modules", ".ci/reference/node_modules"]) {
    symlinkSync(join(root, modules), join(copy, modules))
  }
  // The whole of what is said is its name, behind what the build says.
  const name = npm(copy, "pack", "--silent", "--pack-destination", folder).trim().split("\n").at(-1)!
  return join(folder, name)
}

export class Project {
  readonly folder: string

  constructor(folder: string) {
    this.folder = folder
    mkdirSync(folder)
    this.write("package.json", JSON.stringify({ private: true, type: "module" }))
  }

  write(name: string, text: string): void {
    mkdirSync(dirname(join(this.folder, name)), { recursive: true })
    writeFileSync(join(this.folder, name), text)
  }

  install(...packages: ReadonlyArray<string>): void {
    npm(this.folder, "install", ...packages)
  }

  /** Runs a command that is installed in the project, or Node's. */
  run(command: string, args: ReadonlyArray<string>, cwd = this.folder): SpawnSyncReturns<string> {
    return spawnSync(command, args, {
      cwd,
      encoding: "utf8",
      env: {
        NO_COLOR: "1",
        PATH: `${join(this.folder, "node_modules/.bin")}:${process.env["PATH"]}`,
        HOME: this.folder
      }
    })
  }

  /** A module that is run by Node as it is. */
  module(text: string): SpawnSyncReturns<string> {
    return this.run(process.execPath, ["--input-type=module", "--eval", text])
  }

  /**
   * A program that serves, until what is done with it is done; `said` is what it has written so far. Its end by a signal is a
   * good one.
   */
  async serving<A>(
    { args, env, ports }: {
      readonly args: ReadonlyArray<string>
      readonly env: Readonly<Record<string, string>>
      readonly ports: ReadonlyArray<number>
    },
    use: (said: () => string) => Promise<A>
  ): Promise<A> {
    const child = spawn(process.execPath, args, {
      cwd: this.folder,
      env: { PATH: process.env["PATH"], ...env },
      stdio: ["ignore", "pipe", "pipe"]
    })
    let said = ""
    for (const output of [child.stdout, child.stderr]) output.on("data", (octets: Buffer) => said += octets.toString())
    const ended = once(child, "exit")
    try {
      await eventually(async () => {
        if (child.exitCode !== null) throw new Error(`it has ended: ${said}`)
        return (await Promise.all(ports.map(connects))).every(Boolean)
      }, `what listens on ${ports.join(", ")}`)
      return await use(() => said)
    } finally {
      child.kill("SIGTERM")
      await ended
    }
  }
}
