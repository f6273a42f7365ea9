/** What can happen around a relay, as data: random scenarios that fast-check makes, and shrinks when one fails. */
import * as fc from "fast-check"

/**
 * Who talks: the owner of a session, and a peer that connects in, is dialled, or is an owner as well; `linked`: an owner at
 * the relay on the far side of a link.
 */
export interface Dialog {
  readonly kind: "in" | "dialled" | "owners" | "linked"
  /** Index of the owner's connection; several sessions may share it. */
  readonly owner: number
  /** Index of the peer's connection, listener, or (both owners) owner's connection, here or at the far relay. */
  readonly peer: number
  /** Seconds until the session URIs expire. */
  readonly expires: number
}

/** What a receiver does with a request. */
export interface Answer {
  readonly status: number
  /** `early`: before the end of a long piece, if it is an error. `unknown`: only under another id. */
  readonly when: "now" | "early" | "late" | "never" | "twice" | "unknown"
  /** Milliseconds until a late answer. */
  readonly delay: number
}

export type FailureReport = "absent" | "yes" | "partial" | "no"

export type Flag = "$" | "+" | "#"

export interface Message {
  /** Octets of each chunk; all but the last end with `+`. */
  readonly chunks: ReadonlyArray<number>
  readonly last: Flag
  readonly failureReport: FailureReport
  readonly successReport: boolean
  /** How the sender writes Byte-Range: all numbers, `start-*` and the total, `start-*` and `*`. */
  readonly range: "exact" | "total" | "open"
  /** Chunks after the first one are sent by `more`. */
  readonly spaced: boolean
}

export interface Link {
  readonly latency: number
  readonly split: number
  readonly window: number
}

export type DialOutcome = "Listens" | "Refused" | "Silence" | "Mute"

/** `dialog` and `end` are taken modulo what there is; `back`: from the peer to the owner. */
export type Command =
  | { readonly do: "send"; readonly dialog: number; readonly back: boolean; readonly message: Message }
  | { readonly do: "more"; readonly which: number }
  | { readonly do: "bodiless"; readonly dialog: number; readonly back: boolean; readonly failureReport: FailureReport }
  | { readonly do: "nickname"; readonly dialog: number; readonly back: boolean }
  /** To a session that does not exist. */
  | { readonly do: "stray"; readonly dialog: number; readonly back: boolean; readonly failureReport: FailureReport }
  /** The endpoint sends so many octets more, then none until `free`: it stops anywhere in a frame. */
  | { readonly do: "throttle"; readonly end: number; readonly octets: number }
  | { readonly do: "free"; readonly end: number }
  /** Not reading, reading again, reading one piece. */
  | { readonly do: "pause" | "resume" | "sip"; readonly end: number }
  /** The connections between the relays are lost. */
  | { readonly do: "unlink" }
  /** A dialog gets new session URIs, on connections that may be held. */
  | { readonly do: "open"; readonly dialog: number }
  /** The operator ends a session, or a connection. */
  | { readonly do: "end session" | "end connection"; readonly which: number }
  /** Other bounds count from now on. */
  | { readonly do: "reload"; readonly bounds: Bounds }
  | { readonly do: "cut" | "close" | "destroy" | "rejoin"; readonly end: number }
  | { readonly do: "link"; readonly end: number; readonly link: Link }
  | { readonly do: "dial"; readonly listener: number; readonly outcome: DialOutcome }
  /** An owner logs in once more, and does not wait for the answer; `odd` is what no authenticator may say. */
  | { readonly do: "login"; readonly end: number; readonly outcome: LoginOutcome }
  /** The relay goes out of service, and comes back. */
  | { readonly do: "drain" | "undrain"; readonly relay: number }
  /** Other options count from now on. */
  | { readonly do: "policy"; readonly policy: Policy }
  /** Milliseconds that the reader of a trace takes for each frame. */
  | { readonly do: "trace"; readonly relay: number; readonly delay: number }
  /** Milliseconds pass. */
  | { readonly do: "wait"; readonly millis: number }
  /** Nothing but turns of the network at the present time. */
  | { readonly do: "turns"; readonly turns: number }

export type Policy = "no next hops" | "no relays" | "few sessions" | "short sessions" | "no plaintext"

export type LoginOutcome = "granted" | "slow" | "dies" | "throws" | "never" | "challenge" | "wrong" | "rejected" | "odd"

/** Bounds of the relay, as `RelayLimits` has them. */
export interface Bounds {
  readonly turn: number
  readonly output: number
  readonly responses: number
  readonly session: number
  readonly connection: number
  readonly transactions: number
  readonly unanswered: number
  readonly unansweredOfUser: number
  readonly requestRate: number
  readonly octetRate: number
  readonly hold?: number
  readonly relayed?: number
  readonly relay?: number
}

/**
 * `wild`: everything happens. `quick`: no connection is lost and nothing takes long, so that it is known what the relay
 * must report. `calm`: besides, every request is answered with 200, so that all must arrive. `fair`: some are lame, which is
 * that they do not read, or not answer; all others do, and what they send each other must get along in time.
 */
export type Mood = "wild" | "quick" | "calm" | "fair"

export interface Scenario {
  readonly mood: Mood
  /** Several of them are in a row. */
  readonly relays: 1 | 2 | 3
  /** Who comes by WebSocket. */
  readonly webSockets?: ReadonlyArray<string>
  /** What happens in turn when the repository of sessions and the selector of sockets are called: `true` is a defect. */
  readonly broken?: ReadonlyArray<boolean>
  /** Whether the relays end while messages are under way. */
  readonly closes?: boolean
  /** Ends that are slow or mute, in a fair scenario. */
  readonly lame: ReadonlyArray<number>
  readonly seed: number
  readonly shuffle: boolean
  readonly link: Link
  readonly bounds: Bounds
  readonly dialogs: ReadonlyArray<Dialog>
  readonly dials: readonly [DialOutcome, DialOutcome]
  /** For each endpoint in turn; each is repeated. */
  readonly answers: ReadonlyArray<ReadonlyArray<Answer>>
  readonly commands: ReadonlyArray<Command>
  /** Endpoints that stopped sending go on when everything settles. */
  readonly relents: boolean
}

export const OWNERS = 2
export const JOINERS = 2
export const LISTENERS = 2
/** Owners at the far relay. */
export const DISTANT = 2

const pick = <T>(...values: Array<T>): fc.Arbitrary<T> => fc.constantFrom(...values)

const dialog = (kind: fc.Arbitrary<Dialog["kind"]>, expires: fc.Arbitrary<number>): fc.Arbitrary<Dialog> =>
  fc.record({
    kind,
    owner: fc.nat(OWNERS - 1),
    peer: fc.nat(1),
    expires
  })

const octets: fc.Arbitrary<number> = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 1, max: 300 }) },
  { weight: 1, arbitrary: fc.constant(0) },
  { weight: 2, arbitrary: fc.integer({ min: 2040, max: 2056 }) },
  { weight: 3, arbitrary: fc.integer({ min: 2100, max: 12_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 60_000, max: 200_000 }) }
)

/** Enough of them fill what waits for a slow receiver. */
const many: fc.Arbitrary<number> = fc.oneof(octets, fc.integer({ min: 30_000, max: 200_000 }))

const failureReport: fc.Arbitrary<FailureReport> = pick("absent", "absent", "yes", "partial", "no")

const messageOf = (octets: fc.Arbitrary<number>): fc.Arbitrary<Message> =>
  fc.record({
    chunks: fc.oneof(
      { weight: 3, arbitrary: fc.array(octets, { minLength: 1, maxLength: 1 }) },
      { weight: 2, arbitrary: fc.array(octets, { minLength: 2, maxLength: 5 }) }
    ),
    last: pick<Flag>("$", "$", "$", "#", "+"),
    failureReport,
    successReport: fc.boolean(),
    range: pick("exact" as const, "total" as const, "open" as const),
    spaced: fc.boolean()
  })

const latencies: Readonly<Record<Mood, fc.Arbitrary<number>>> = {
  wild: pick(0, 0, 1, 30, 200),
  quick: pick(0, 0, 1, 30),
  calm: pick(0, 0, 1, 30),
  fair: pick(0, 0, 1)
}

const link = (mood: Mood): fc.Arbitrary<Link> =>
  fc.record({
    latency: latencies[mood],
    split: pick(65_536, 65_536, 20_000, 1500, 100),
    window: mood === "wild" ? pick(65_536, 65_536, 16_000, 3000) : pick(65_536, 16_000)
  })

const index = fc.nat(OWNERS + JOINERS + LISTENERS - 1)
const back = fc.boolean()

/** Milliseconds. A fair scenario is over before the relay forgets that a connection is used by several sessions. */
const waits: Readonly<Record<Mood, fc.Arbitrary<number>>> = {
  wild: pick(1, 40, 400, 3000, 16_000, 31_000, 62_000),
  quick: pick(1, 20, 60),
  calm: pick(1, 20, 60),
  fair: pick(1, 20, 400, 1500)
}

const stopping: fc.WeightedArbitrary<Command> = {
  weight: 2,
  arbitrary: fc.record({
    do: fc.constant("throttle" as const),
    end: index,
    octets: fc.oneof(fc.nat(600), fc.nat(5000), fc.nat(100_000))
  })
}

const gentle = (mood: Mood): Array<fc.WeightedArbitrary<Command>> => [
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant("send" as const),
      dialog: index,
      back,
      message: messageOf(mood === "fair" ? many : octets)
    })
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("more" as const), which: index }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("bodiless" as const), dialog: index, back, failureReport }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("nickname" as const), dialog: index, back }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("stray" as const), dialog: index, back, failureReport }) },
  ...(mood === "fair" ? [] : [stopping]),
  { weight: 2, arbitrary: fc.record({ do: fc.constant("free" as const), end: index }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: pick("pause" as const, "pause" as const, "resume" as const, "sip" as const),
      end: index
    })
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("link" as const), end: index, link: link(mood) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("turns" as const), turns: pick(1, 2, 5, 20, 60) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("wait" as const),
      millis: waits[mood]
    })
  }
]

const bounds = (mood: Mood): fc.Arbitrary<Bounds> =>
  fc.record({
    // With the smallest each frame is a turn of its own, with the next one some are.
    turn: pick(262_144, 50_000, 1),
    output: pick(131_072, 16_384, 3000),
    responses: pick(524_288, 8192),
    session: mood === "fair" ? pick(20_000, 4000) : pick(262_144, 20_000, 4000),
    connection: pick(1_048_576, 40_000, 6000),
    // Who has more requests unanswered is held until they time out, if the answers are behind what holds him.
    transactions: mood === "wild" ? pick(16_384, 16_384, 100, 20) : fc.constant(16_384),
    unanswered: mood === "wild" || mood === "fair" ? pick(8_388_608, 50_000, 10_000) : fc.constant(8_388_608),
    unansweredOfUser: mood === "wild" ? pick(67_108_864, 67_108_864, 50_000, 12_000) : fc.constant(67_108_864),
    requestRate: mood === "wild" ? pick(Infinity, Infinity, 20) : fc.constant(Infinity),
    octetRate: mood === "wild" ? pick(Infinity, Infinity, 20_000) : fc.constant(Infinity)
  })

const rough: Array<fc.WeightedArbitrary<Command>> = [
  {
    weight: 2,
    arbitrary: fc.record({ do: pick("end session" as const, "end connection" as const), which: fc.nat(20) })
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("open" as const), dialog: index }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("login" as const),
      end: index,
      outcome: pick<LoginOutcome>("granted", "slow", "dies", "throws", "never", "challenge", "wrong", "rejected", "odd")
    })
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: pick("drain" as const, "undrain" as const, "undrain" as const), relay: fc.nat(2) })
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("policy" as const),
      policy: pick<Policy>("no next hops", "no relays", "few sessions", "short sessions", "no plaintext")
    })
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("trace" as const), relay: fc.nat(2), delay: pick(0, 700) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("reload" as const), bounds: bounds("wild") }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: pick("cut" as const, "close" as const, "destroy" as const, "rejoin" as const, "rejoin" as const),
      end: index
    })
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("dial" as const),
      listener: fc.nat(1),
      outcome: pick<DialOutcome>("Listens", "Refused", "Silence", "Mute")
    })
  }
]

const answer: fc.Arbitrary<Answer> = fc.record({
  status: pick(200, 200, 200, 413, 400, 481, 403),
  when: pick<Answer["when"]>("now", "now", "early", "late", "never", "twice", "unknown"),
  delay: pick(10, 2000, 25_000, 40_000)
})

const well: Answer = { status: 200, when: "now", delay: 0 }

const answers: fc.Arbitrary<ReadonlyArray<Answer>> = fc.oneof(
  { weight: 2, arbitrary: fc.constant([well]) },
  {
    weight: 3,
    arbitrary: fc.array(fc.oneof({ weight: 3, arbitrary: fc.constant(well) }, { weight: 2, arbitrary: answer }), {
      minLength: 1,
      maxLength: 6
    })
  }
)

const outcome = pick<DialOutcome>("Listens", "Listens", "Listens", "Refused", "Silence", "Mute")

const alone = pick("in" as const, "dialled" as const, "owners" as const)

const ofMood = (mood: Mood): fc.Arbitrary<Scenario> =>
  fc.record({
    mood: fc.constant(mood),
    relays: fc.constant(1),
    lame: fc.constant([]),
    webSockets: fc.subarray(["owner 0", "owner 1", "joiner", "distant"]),
    broken: mood === "wild" ? fc.oneof(fc.constant([]), fc.array(fc.boolean(), { maxLength: 8 })) : fc.constant([]),
    closes: mood === "wild" ? fc.boolean() : fc.constant(false),
    seed: fc.nat(1_000_000),
    shuffle: fc.boolean(),
    link: link(mood),
    bounds: bounds(mood),
    dialogs: fc.array(dialog(alone, mood === "wild" ? pick(100_000, 100_000, 100_000, 45) : fc.constant(100_000)), {
      minLength: 1,
      maxLength: 4
    }),
    dials: mood === "wild" ? fc.tuple(outcome, outcome) : fc.constant(["Listens", "Listens"] as const),
    answers: fc.array(mood === "calm" ? fc.constant([well]) : answers, { minLength: 1, maxLength: 4 }),
    commands: fc.array(fc.oneof(...gentle(mood), ...(mood === "wild" ? rough : [])), {
      minLength: 1,
      maxLength: mood === "wild" ? 40 : 24,
      size: "max"
    }),
    relents: mood === "wild" ? fc.boolean() : fc.constant(true)
  })

export const scenario: fc.Arbitrary<Scenario> = fc.oneof(
  { weight: 3, arbitrary: ofMood("wild") },
  { weight: 2, arbitrary: ofMood("quick") },
  { weight: 1, arbitrary: ofMood("calm") }
)

// ---- two and three relays

const through = pick("linked" as const, "linked" as const, "linked" as const, "in" as const, "owners" as const)

/** Where it is known what fails, nothing does for want of room or patience: who waits for no answers is not slowed down. */
const roomy = { relayed: 100_000_000, relay: 1_000_000_000, hold: 600 }

const relayBounds = (mood: Mood): fc.Arbitrary<Pick<Bounds, "hold" | "relayed" | "relay">> =>
  mood === "quick" || mood === "calm"
    ? fc.constant(roomy)
    : fc.record({ relayed: pick(2_097_152, 2_097_152, 200_000, 20_000), relay: pick(33_554_432, 1_000_000, 60_000) })

const unlink: fc.WeightedArbitrary<Command> = { weight: 1, arbitrary: fc.constant({ do: "unlink" as const }) }

const withFar = (one: Scenario, linked: Partial<Scenario>, more: Partial<Bounds>): Scenario => ({
  ...one,
  ...linked,
  bounds: { ...one.bounds, ...more }
})

/** All else is as it is with one relay. */
const linkedOf = (mood: Mood): fc.Arbitrary<Scenario> =>
  fc.tuple(
    ofMood(mood),
    fc.record({
      relays: pick(2 as const, 3 as const),
      lame: mood === "fair" ? fc.uniqueArray(index, { minLength: 1, maxLength: 3 }) : fc.constant([]),
      dialogs: fc.array(
        dialog(through, mood === "wild" ? pick(100_000, 100_000, 100_000, 45) : fc.constant(100_000)),
        { minLength: 2, maxLength: 8 }
      ),
      commands: fc.array(fc.oneof(...gentle(mood), ...(mood === "wild" ? [...rough, unlink] : [])), {
        minLength: 1,
        maxLength: mood === "wild" ? 40 : 24,
        size: "max"
      })
    }),
    relayBounds(mood)
  ).map(([one, linked, more]) => withFar(one, linked, more))

export const linkedScenario: fc.Arbitrary<Scenario> = fc.oneof(
  { weight: 3, arbitrary: linkedOf("wild") },
  { weight: 2, arbitrary: linkedOf("quick") },
  { weight: 1, arbitrary: linkedOf("calm") },
  { weight: 3, arbitrary: linkedOf("fair") }
)
