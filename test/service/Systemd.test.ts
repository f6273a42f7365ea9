import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { execFileSync, spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, vi } from "vitest"
import { settingsTable } from "../../src/service/Settings.ts"
import * as Systemd from "../../src/service/Systemd.ts"
import { ended, eventually, start } from "../support/service.ts"

// A process takes long to start on a machine that does much else.
vi.setConfig({ testTimeout: 180_000 })

const directory = mkdtempSync(join(tmpdir(), "msrp-relay-systemd-"))
afterAll(() => rmSync(directory, { recursive: true }))

const has = (program: string): boolean => {
  try {
    execFileSync("sh", ["-c", `command -v ${program}`])
    return true
  } catch {
    return false
  }
}

const env = { NOTIFY_SOCKET: "/run/systemd/notify", PATH: process.env["PATH"] }

/** What is sent, instead of by the program, and what is logged meanwhile. */
const recorder = (send: (text: string) => Effect.Effect<void, Systemd.NotifyError> = () => Effect.void) => {
  const sent: Array<string> = []
  const logged: Array<string> = []
  const options = {
    env,
    send: (assignments: ReadonlyArray<string>) =>
      Effect.suspend(() => {
        sent.push(assignments.filter((one) => !/^(?:MAINPID|MONOTONIC_USEC)=/.test(one)).join(" "))
        return send(sent.at(-1)!)
      })
  }
  const logger = Logger.layer([Logger.make(({ message }) => void logged.push(String(message)))])
  return { sent, logged, options, logger }
}

/** Everything that waits to be done is done. */
const settled = TestClock.adjust(0)

/** Runs the body while the layer lives. */
const within = <A, E>(
  { logger, options }: Pick<ReturnType<typeof recorder>, "options" | "logger">,
  body: Effect.Effect<A, E>
) => Effect.provide(body, Layer.provide(Systemd.layerWith(options), logger))

describe("Systemd", () => {
  it.effect("is told what was told, in this order; being ready has the last status with it", () =>
    Effect.gen(function*() {
      const record = recorder()
      yield* within(
        record,
        Effect.gen(function*() {
          yield* Systemd.status("serving\nREADY=1")
          yield* Effect.andThen(Systemd.ready, settled)
          yield* Effect.andThen(Systemd.reloading, settled)
          yield* Effect.andThen(Systemd.ready, settled)
          yield* Effect.andThen(Systemd.stopping(Duration.seconds(40)), settled)
          // Whoever has it reload or drain while it ends: for systemd it ends.
          yield* Effect.andThen(Systemd.reloading, settled)
          yield* Effect.andThen(Systemd.ready, settled)
          yield* Systemd.status("serving")
        })
      )
      assert.deepStrictEqual(record.sent, [
        "STATUS=serving READY=1",
        "READY=1 STATUS=serving READY=1",
        "RELOADING=1 STATUS=reading the settings again",
        "READY=1 STATUS=serving READY=1",
        "STOPPING=1 EXTEND_TIMEOUT_USEC=40000000 STATUS=stopping"
      ])
    }))

  it.effect("is told by one message after the other; of what waits, only the last status is told, and not too much", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      const record = recorder((text) => text === "STATUS=first" ? Deferred.await(gate) : Effect.void)
      yield* within(
        record,
        Effect.gen(function*() {
          yield* Effect.andThen(Systemd.status("first"), settled)
          for (let i = 0; i < 100; i++) yield* Systemd.status(`number ${i}`)
          for (let i = 0; i < 100; i++) yield* Systemd.reloading
          yield* settled
          assert.deepStrictEqual(record.sent, ["STATUS=first"])
          yield* Effect.andThen(Deferred.succeed(gate, undefined), settled)
        })
      )
      assert.lengthOf(record.sent, 1 + Systemd.MAX_WAITING)
      assert.strictEqual(record.sent[1], "STATUS=number 99")
    }))

  it.effect("hears twice in the time of its watchdog that the service is alive", () =>
    Effect.gen(function*() {
      const pulses = Effect.fnUntraced(function*(watchdog: Record<string, string>) {
        const record = recorder()
        record.options.env = { ...env, ...watchdog }
        yield* within(record, TestClock.adjust("1 minute"))
        return record.sent
      })
      const alive = Array.from({ length: 4 }, () => "WATCHDOG=1")
      assert.deepStrictEqual(yield* pulses({ WATCHDOG_USEC: "30000000" }), alive)
      assert.deepStrictEqual(yield* pulses({ WATCHDOG_USEC: "30000000", WATCHDOG_PID: String(process.pid) }), alive)
      assert.deepStrictEqual(yield* pulses({ WATCHDOG_USEC: "30000000", WATCHDOG_PID: "1" }), [])
      for (const text of ["", "0", "soon", "-5", "1e9"]) {
        assert.deepStrictEqual(yield* pulses({ WATCHDOG_USEC: text }), [])
      }
    }))

  it.effect("is waited for at the end no longer than five seconds", () =>
    Effect.gen(function*() {
      const record = recorder(() => Effect.never)
      const scope = yield* Scope.make()
      const running = yield* Layer.buildWithScope(
        Layer.provide(Systemd.layerWith(record.options), record.logger),
        scope
      )
      yield* Effect.provide(Systemd.stopping(Duration.zero), running)
      yield* settled
      const closing = yield* Effect.forkChild(Effect.uninterruptible(Scope.close(scope, Exit.void)))
      yield* TestClock.adjust(4999)
      assert.isUndefined(closing.pollUnsafe())
      yield* TestClock.adjust(1)
      assert.isDefined(closing.pollUnsafe())
    }))

  it.effect("that does not hear anything is told of once, until it hears again", () =>
    Effect.gen(function*() {
      let failing = true
      const record = recorder(() =>
        failing ? Effect.fail(new Systemd.NotifyError({ reason: "x", lasting: false })) : Effect.void
      )
      const say = Effect.andThen(Systemd.status("serving"), settled)
      yield* within(
        record,
        Effect.gen(function*() {
          yield* Effect.andThen(say, say)
          assert.deepStrictEqual(record.logged, ["systemd was not told how the service is"])
          failing = false
          yield* say
          failing = true
          yield* say
          assert.lengthOf(record.logged, 2)
        })
      )
      const lasting = recorder(() => Effect.fail(new Systemd.NotifyError({ reason: "x", lasting: true })))
      yield* within(lasting, Effect.andThen(say, say))
      assert.lengthOf(lasting.sent, 1)
    }))

  it.effect("is not there without its socket", () =>
    Effect.gen(function*() {
      const record = recorder()
      yield* within(
        { ...record, options: { ...record.options, env: {} as typeof env } },
        Effect.andThen(Systemd.ready, settled)
      )
      yield* Systemd.ready
      assert.deepStrictEqual(record.sent, [])
    }))

  it.live("cannot be told anything without its program, which is told once", () =>
    Effect.gen(function*() {
      const { logged, logger } = recorder()
      const options = { env: { ...env, PATH: directory } }
      const running = yield* Layer.build(Layer.provide(Systemd.layerWith(options), logger))
      yield* Effect.provide(Effect.andThen(Systemd.ready, Systemd.status("serving")), running)
      yield* Effect.promise(() => eventually(() => logged.length > 0, "the warning"))
      yield* Effect.provide(Systemd.stopping(Duration.zero), running)
      assert.deepStrictEqual(logged, ["systemd cannot be told how the service is"])
    }).pipe(Effect.scoped))
})

const RECEIVER = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
while True:
    sys.stdout.write("<" + s.recv(65536).decode() + ">\\n")
    sys.stdout.flush()
`

/** A socket as systemd has it: what comes in there. */
const receiver = async () => {
  const path = join(directory, "notify")
  rmSync(path, { force: true })
  const child = has("python3")
    ? spawn("python3", ["-c", RECEIVER, path])
    : spawn("socat", ["-u", `UNIX-RECV:${path}`, "STDOUT"])
  const all = { text: "" }
  child.stdout.on("data", (octets: Buffer) => all.text += octets.toString())
  await eventually(
    () => execFileSync("sh", ["-c", `test -S ${path} && echo yes || echo no`], { encoding: "utf8" }) === "yes\n",
    "the socket"
  )
  const end = async () => {
    child.kill("SIGKILL")
    await once(child, "exit")
  }
  return { path, all, end }
}

describe("the example of a unit", () => {
  it("is one that systemd takes without a word", ({ skip }) => {
    if (!has("systemd-analyze")) skip("there is no systemd-analyze on this machine")
    const unit = readFileSync(new URL("../../examples/systemd/msrp-relay.service", import.meta.url), "utf8")
    // It looks whether the program is there.
    const path = join(directory, "msrp-relay.service")
    writeFileSync(path, unit.replaceAll("/usr/bin/node", process.execPath))
    const { status, stderr } = spawnSync("systemd-analyze", ["verify", path], { encoding: "utf8" })
    assert.deepStrictEqual({ status, stderr }, { status: 0, stderr: "" })
  })
})

describe("the example of a unit, beside the service", () => {
  const unit = readFileSync(new URL("../../examples/systemd/msrp-relay.service", import.meta.url), "utf8")
  const valueOf = (name: string) => unit.match(new RegExp(`^${name}=(.*)$`, "m"))?.[1]

  it("has it the time to drain", () => {
    const { default: drain } = settingsTable.find(({ variable }) => variable === "MSRP_DRAIN_TIMEOUT")!
    assert.isAtLeast(Number(valueOf("TimeoutStopSec")), Number(drain) + 7)
  })

  it("has it read its settings again, and a folder for the socket of its admin API", () => {
    assert.match(valueOf("Environment")!, /^MSRP_ENV_FILE=/)
    assert.isUndefined(valueOf("EnvironmentFile"))
    assert.strictEqual(valueOf("RuntimeDirectory"), "msrp-relay")
  })

  it("has a second signal be no failure after which it is started again", () => {
    assert.deepStrictEqual(valueOf("SuccessExitStatus")?.split(" "), ["130", "143"])
  })
})

describe("the service below systemd", () => {
  it("says when it is ready, that it is alive, and when it stops, by the real program on a real socket", async ({ skip }) => {
    if (!has("systemd-notify")) skip("there is no systemd-notify on this machine")
    if (!has("python3") && !has("socat")) skip("there is neither python3 nor socat on this machine")
    const { all, end, path } = await receiver()
    try {
      const { child } = await start({ env: { NOTIFY_SOCKET: path, WATCHDOG_USEC: "600000" } })
      try {
        await eventually(() => /READY=1\nSTATUS=serving\b/.test(all.text), "READY=1")
        assert.include(all.text, `MAINPID=${child.pid}\n`)
        await eventually(() => (all.text.match(/WATCHDOG=1/g)?.length ?? 0) > 2, "WATCHDOG=1")
        assert.notInclude(all.text, "STOPPING=1")
        child.kill("SIGTERM")
        assert.strictEqual(await ended(child), 0)
        await eventually(
          () => /STOPPING=1\nEXTEND_TIMEOUT_USEC=40000000\nSTATUS=stopping\b/.test(all.text),
          "STOPPING=1"
        )
      } finally {
        child.kill("SIGKILL")
      }
    } finally {
      await end()
    }
  })

  it("serves when systemd's program fails or hangs", async () => {
    for (const script of ["exit 3", "exec sleep 600"]) {
      writeFileSync(join(directory, "systemd-notify"), `#!/bin/sh\n${script}\n`)
      chmodSync(join(directory, "systemd-notify"), 0o755)
      const PATH = `${directory}:${process.env["PATH"]}`
      const { child } = await start({ env: { NOTIFY_SOCKET: join(directory, "none"), PATH } })
      child.kill("SIGTERM")
      assert.strictEqual(await ended(child), 0)
    }
    rmSync(join(directory, "systemd-notify"))
  })
})
