/** The service as a process: what happens to it from outside, and to what it writes. */
import * as Effect from "effect/Effect"
import { execFileSync, spawn } from "node:child_process"
import { once } from "node:events"
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import * as Net from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, assert, describe, it, vi } from "vitest"
import * as Client from "../../src/Client.ts"
import { Codec } from "../../src/Codec.ts"
import { Transport } from "../../src/Transport.ts"
import {
  COMMAND,
  connects,
  ended,
  eventually,
  freePort,
  garbage,
  output,
  start,
  type Started
} from "../support/service.ts"

// A process takes long to start on a machine that does much else.
vi.setConfig({ testTimeout: 180_000 })

const directory = mkdtempSync(join(tmpdir(), "msrp-relay-"))
afterAll(() => rmSync(directory, { recursive: true }))

const attempt = (command: string, ...args: ReadonlyArray<string>): boolean => {
  try {
    execFileSync(command, args, { stdio: "ignore" })
    return true
  } catch {
    return false
  }
}

/** Milliseconds that the end waits for a peer who takes nothing: whoever has got everything does not have them. */
const CLOSING = 5000

/** Runs it with the service, which is gone afterwards. */
const withService = async (started: Promise<Started>, body: (started: Started) => Promise<void>): Promise<void> => {
  const service = await started
  try {
    await body(service)
  } finally {
    service.child.kill("SIGKILL")
  }
}

/** A connection that has had an answer, and that is not closed from this side. */
const talking = async (port: number): Promise<Net.Socket> => {
  const socket = Net.connect({ port, host: "127.0.0.1", allowHalfOpen: true })
  socket.on("error", () => {})
  const paths = `To-Path: msrp://127.0.0.1:${port};tcp\r\nFrom-Path: msrp://c.invalid:9/s;tcp`
  socket.write(`MSRP 49fi AUTH\r\n${paths}\r\n-------49fi$\r\n`)
  await once(socket, "data")
  return socket
}

/** Seconds for which alice gets a session when she does not say. */
const granted = (port: number): Promise<number> =>
  Effect.gen(function*() {
    const client = yield* Client.connect({ scheme: "msrp", host: "127.0.0.1", port })
    const grant = yield* client.auth({
      relay: `msrp://127.0.0.1:${port};tcp`,
      username: "alice",
      password: "wonderland"
    })
    return grant.expires
  }).pipe(Effect.scoped, Effect.provide([Transport.layerNode(), Codec.layer]), Effect.runPromise)

describe("the log", () => {
  it("has a bounded number of lines for what strangers do 20,000 times", async () => {
    const path = join(directory, "log")
    const file = openSync(path, "w")
    await withService(start({ stdout: file }), async ({ child, port }) => {
      await garbage(port, 20_000)
      child.kill("SIGTERM")
      assert.strictEqual(await ended(child), 0)
    })
    closeSync(file)
    assert.isBelow(statSync(path).size, 20_000)
    const all = readFileSync(path, "utf8").matchAll(
      /message="connection ended".*reason="not MSRP"|what="connection ended: not MSRP" lines=(\d+)/g
    )
    assert.strictEqual([...all].reduce((sum, [, more = "1"]) => sum + Number(more), 0), 20_000)
  })

  it("loses lines when its reader is gone, and the relay nothing", () =>
    withService(start(), async ({ child, port }) => {
      child.stdout!.destroy()
      await garbage(port, 500)
      assert.isTrue(await connects(port))
      child.kill("SIGTERM")
      assert.strictEqual(await ended(child), 0)
    }))

  it("loses lines when its disk is full, and says how many when there is room", async ({ skip }) => {
    const disk = mkdtempSync(join(directory, "disk"))
    if (!attempt("mount", "-t", "tmpfs", "-o", "size=8k", "tmpfs", disk)) skip("no file system may be mounted here")
    try {
      const fill = join(disk, "fill")
      writeFileSync(fill, "x".repeat(8000))
      const path = join(disk, "log")
      const file = openSync(path, "w")
      await withService(start({ stdout: file }), async ({ child, port }) => {
        await garbage(port, 500)
        assert.isTrue(await connects(port))
        rmSync(fill)
        await eventually(() => /lost.* lines=2\d\n/.test(readFileSync(path, "utf8")), "the number of lost lines")
        child.kill("SIGTERM")
        assert.strictEqual(await ended(child), 0)
      })
      closeSync(file)
    } finally {
      attempt("umount", "--lazy", disk)
    }
  })
})

it("descriptors that run out are told, what is there goes on, and so does the relay when there are some again", async () => {
  const command = ["sh", "-c", "ulimit -n 80; exec \"$@\"", "sh", ...COMMAND]
  const admin = await freePort()
  await withService(start({ command, env: { MSRP_ADMIN: `127.0.0.1:${admin}` } }), async ({ child, port }) => {
    const log = output(child)
    const first = await talking(port)
    const many = Array.from({ length: 100 }, () => Net.connect(port, "127.0.0.1").on("error", () => {}))
    await eventually(() => /level=WARN .*message="accept failed" reason=/.test(log.text), "the line about descriptors")
    // Who would end a relay that does not answer has his answer.
    for (let i = 0; i < 20; i++) {
      assert.strictEqual(await fetch(`http://127.0.0.1:${admin}/healthz`).then(({ status }) => status, String), 200)
    }
    assert.isFalse(first.readableEnded)
    for (const socket of many) socket.destroy()
    await eventually(() => granted(port).then(() => true, () => false), "a session for who comes then")
    first.destroy()
    child.kill("SIGTERM")
    assert.strictEqual(await ended(child), 0)
  })
})

describe("a reload", () => {
  it("SIGHUP takes over what the file of variables says now, and nothing of one that is wrong", async () => {
    const path = join(directory, "relay.env")
    writeFileSync(path, "MSRP_AUTH_EXPIRES=60\n")
    await withService(start({ env: { MSRP_ENV_FILE: path } }), async ({ child, port }) => {
      const log = output(child)
      const reload = async (text: string, line: RegExp) => {
        log.text = ""
        writeFileSync(path, text)
        child.kill("SIGHUP")
        await eventually(() => line.test(log.text), String(line))
      }
      assert.strictEqual(await granted(port), 60)
      await reload(
        "MSRP_AUTH_EXPIRES=70\nMSRP_HASH_SIZE=4\n",
        /message=reloaded .*settings=MSRP_AUTH_EXPIRES .*users=1/
      )
      assert.strictEqual(await granted(port), 70)
      await eventually(() => log.text.includes("MSRP_HASH_SIZE has changed"), "the line about what has to wait")
      await reload("MSRP_AUTH_EXPIRES=80\nMSRP_MAX_DIALS=0\n", /level=ERROR .*Nothing was reloaded.*MSRP_MAX_DIALS/)
      assert.strictEqual(await granted(port), 70)
      await reload("", /message=reloaded .*settings=MSRP_AUTH_EXPIRES/)
      assert.strictEqual(await granted(port), 1800)
      child.kill("SIGTERM")
      assert.strictEqual(await ended(child), 0)
    })
  })
})

describe("signals", () => {
  /** What ends a process that does not take it. */
  const IDLE = ["SIGPIPE", "SIGUSR2", "SIGALRM", "SIGVTALRM", "SIGIO", "SIGPWR"]

  const survives = async ({ child, port }: Started, kill: (signal: string) => void) => {
    const log = output(child)
    kill("SIGUSR1")
    IDLE.forEach(kill)
    kill("SIGHUP")
    kill("SIGUSR1")
    await eventually(() => log.text.includes("message=reloaded"), "the line about SIGHUP")
    assert.isTrue(await connects(port))
    assert.isFalse(await connects(9229))
    return log
  }

  it("SIGHUP ends nothing, nor does what is for other programs, and SIGUSR1 opens no debugger", () =>
    withService(start(), async (started) => {
      const { child } = started
      await survives(started, (signal) => void child.kill(signal as NodeJS.Signals))
      child.kill("SIGINT")
      assert.strictEqual(await ended(child), 0)
    }))

  /** Runs it so that it sends itself signals when the first of its packages is looked for, which is before anything of them runs. */
  const whileLoading = (...signals: ReadonlyArray<string>): readonly [string, ...ReadonlyArray<string>] => {
    const [node, bin] = COMMAND
    const hook = `import { registerHooks } from "node:module"
      let sent = false
      registerHooks({
        resolve(name, context, next) {
          if (!sent && name.startsWith("@effect/")) {
            sent = true
            for (const signal of ${JSON.stringify(signals)}) process.kill(process.pid, signal)
          }
          return next(name, context)
        }
      })`
    return [node, "--import", `data:text/javascript,${encodeURIComponent(hook)}`, bin!]
  }

  it("nothing else does while it is loaded", () =>
    withService(start({ command: whileLoading("SIGHUP", "SIGUSR1", ...IDLE) }), async ({ child, port }) => {
      assert.isTrue(await connects(port))
      assert.isFalse(await connects(9229))
      child.kill("SIGTERM")
      assert.strictEqual(await ended(child), 0)
    }))

  it.each(["SIGTERM", "SIGINT", "SIGQUIT"])("%s ends it while it is loaded, and that is success", async (signal) => {
    const { child } = await start({ command: whileLoading(signal) })
    assert.strictEqual(await ended(child), 0)
  })

  it.each(["SIGTERM", "SIGINT", "SIGQUIT"])("%s comes before settings that cannot be used", async (signal) => {
    const [node, ...rest] = whileLoading(signal)
    const env = { ...process.env, MSRP_LISTEN: "msrp:nowhere" }
    assert.strictEqual(await ended(spawn(node, rest, { env, stdio: "ignore" })), 0)
  })

  it("a tool is ended by what ends others, also while it is loaded", async () => {
    const [node, ...rest] = whileLoading("SIGHUP")
    assert.strictEqual(await ended(spawn(node, [...rest, "settings"], { stdio: "ignore" })), "SIGHUP")
  })

  it("the same as process 1", async ({ skip }) => {
    if (!attempt("unshare", "--pid", "--fork", "true")) skip("no namespace may be made here")
    const command = ["unshare", "--pid", "--fork", "--kill-child", ...COMMAND]
    await withService(start({ command }), async (started) => {
      const { child } = started
      const inner = Number(execFileSync("pgrep", ["-P", String(child.pid)], { encoding: "utf8" }))
      await survives(started, (signal) => process.kill(inner, signal))
      process.kill(inner, "SIGTERM")
      assert.strictEqual(await ended(child), 0)
    })
  })

  it("has threads for many names whose servers say nothing", async ({ skip }) => {
    if (process.platform !== "linux") skip("threads are looked for as Linux has them")
    await withService(start(), async ({ child, port }) => {
      assert.isTrue(await connects(port))
      assert.isAtLeast(readdirSync(`/proc/${child.pid}/task`).length, 16)
    })
  })

  it("SIGQUIT ends it in order", () =>
    withService(start(), async ({ child }) => {
      const log = output(child)
      child.kill("SIGQUIT")
      assert.strictEqual(await ended(child), 0)
      assert.match(log.text, /message=stopped/)
    }))

  it("the second of two that end it ends it now, while a peer has time to close", () =>
    withService(start(), async ({ child, port }) => {
      const socket = await talking(port)
      child.kill("SIGTERM")
      child.kill("SIGINT")
      assert.oneOf(await ended(child), [130, 143])
      socket.destroy()
    }))

  it("whoever keeps his side open delays the end by no more than half a second", () =>
    withService(start(), async ({ child, port }) => {
      const socket = await talking(port)
      const begin = performance.now()
      child.kill("SIGTERM")
      assert.strictEqual(await ended(child), 0)
      assert.isBelow(performance.now() - begin, CLOSING)
      socket.destroy()
    }))

  it("a tool that is interrupted has not done what it was asked for", async () => {
    // It connects, and hears nothing.
    const silent = Net.createServer().listen(0, "127.0.0.1")
    await once(silent, "listening")
    const { port } = silent.address() as Net.AddressInfo
    const [node, bin] = COMMAND
    const relay = `msrp://127.0.0.1:${port};tcp`
    const probe = spawn(node, [bin!, "probe", "--relay", relay, "--user", "a", "--password", "b"], { stdio: "ignore" })
    try {
      await once(silent, "connection")
      probe.kill("SIGINT")
      assert.strictEqual(await ended(probe), 130)
    } finally {
      probe.kill("SIGKILL")
      silent.close()
    }
  })

  it("an npm that goes while the service is loaded ends it too", async () => {
    const hook = `import { registerHooks } from "node:module"
      const npm = process.ppid
      console.log("pid=" + process.pid)
      registerHooks({
        resolve(name, context, next) {
          if (process.ppid === npm && name.startsWith("@effect/")) {
            process.kill(npm, "SIGTERM")
            while (process.ppid === npm);
          }
          return next(name, context)
        }
      })`
    const [node, bin] = COMMAND
    const loader = ["--import", `data:text/javascript,${encodeURIComponent(hook)}`]
    const npm = `process.env.npm_lifecycle_event = "start"
      child_process.spawn(process.execPath, ${JSON.stringify([...loader, bin])}, { stdio: "inherit" })
      process.on("SIGTERM", () => process.exit(0))`
    const path = join(directory, "below-npm")
    const stdout = openSync(path, "w")
    const log = () => readFileSync(path, "utf8")
    await start({ command: [node, "--eval", npm], stdout })
    closeSync(stdout)
    try {
      await eventually(() => log().includes("message=stopped"), "the end of the service")
      assert.include(log(), "npm is gone")
    } finally {
      attempt("kill", "-9", /pid=(\d+)/.exec(log())![1]!)
    }
  })

  it("what `npm start` has started ends with it, whether npm can say so or not", async () => {
    for (const signal of ["SIGTERM", "SIGKILL"] as const) {
      const npm = start({ command: ["npm", "start", "--silent"] })
      await withService(npm, async ({ child, port }) => {
        child.kill(signal)
        await ended(child)
        await eventually(async () => !(await connects(port)), "the end of the service")
      })
    }
  })
})
