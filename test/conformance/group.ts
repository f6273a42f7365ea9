/**
 * What is required of a relay, group by group of the checklist in docs/conformance.md, seen from outside: each case runs
 * on the simulated network and on real TCP sockets, those about time on the simulated clock only.
 *
 * The title of a case begins with the ids of the requirements that it proves.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { TestNetwork, Transport, type TransportError } from "../../src/Transport.ts"
import { type Frame, header, type Owner, type Peer, send, type World, type WorldOptions } from "../support/harness.ts"
import { type Body, play } from "../support/simulated.ts"

export interface Cases {
  /** On both transports. */
  readonly scenario: (title: string, body: Body, options?: WorldOptions) => void
  /** On the simulated network, where time passes as the test says. */
  readonly timed: (title: string, body: Body, options?: WorldOptions) => void
}

const cases =
  (layers: ReadonlyArray<readonly [name: string, layer: typeof Transport.layerTest]>) =>
  (title: string, body: Body, options: WorldOptions = {}): void => {
    for (const [name, layer] of layers) {
      it.effect(`${title} (${name})`, () => Effect.provide(play(body, options), layer()))
    }
  }

const simulated = ["simulated", Transport.layerTest] as const
const tcp = ["TCP", Transport.layerNode as typeof Transport.layerTest] as const

export const group = (title: string, define: (cases: Cases) => void): void =>
  void describe(title, () => define({ scenario: cases([simulated, tcp]), timed: cases([simulated]) }))

/** Does this Failure-Report ask for a response to a SEND. */
export const wantsAnswer = (failureReport: string | undefined): boolean =>
  failureReport === undefined || failureReport === "yes"

export const failureReports = [undefined, "yes", "partial", "no"] as const

/** Alice, the owner of a session, and Bob who has no relay and has connected in. */
export interface Pair {
  readonly alice: Owner
  readonly bob: Peer
  readonly bobUri: string
  /** A SEND of one to the other. */
  readonly toBob: (parts: Parts) => Buffer
  readonly toAlice: (parts: Parts) => Buffer
  /** Paths of these. */
  readonly forth: Paths
  readonly back: Paths
}

interface Paths {
  readonly to: string
  readonly from: string
}

type Parts = Omit<Parameters<typeof send>[0], "to" | "from">

export const pairOf = (world: World): Effect.Effect<Pair, TransportError> =>
  Effect.map(world.pair(), ({ alice, bob, bobUri }) => {
    const forth = { to: `${alice.usePath} ${bobUri}`, from: alice.uri }
    const back = { to: `${alice.usePath} ${alice.uri}`, from: bobUri }
    return {
      alice,
      bob,
      bobUri,
      forth,
      back,
      toBob: (parts) => send({ ...parts, ...forth }),
      toAlice: (parts) => send({ ...parts, ...back })
    }
  })

/** Status and range of a REPORT. */
export const reported = (frame: Frame): string => {
  assert.strictEqual(frame.method, "REPORT", frame.octets.toString("latin1"))
  return `${header(frame, "Status")!.slice(0, 7)} | ${header(frame, "Byte-Range")}`
}

export { TestNetwork }
