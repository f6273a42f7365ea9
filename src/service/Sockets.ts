/** The sockets of the machine, with the certificates that the settings name, or with one made at start. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Transport } from "../Transport.ts"
import { makeSelfSigned } from "../transport/SelfSigned.ts"
import type { SettingsShape } from "./Settings.ts"
import { followTls } from "./settings/FollowTls.ts"

const currentTls = Effect.fnUntraced(function*({ relay, selfSigned, tls, tlsFiles }: SettingsShape) {
  const [first, ...others] = selfSigned ?? []
  return first === undefined
    ? yield* followTls({ files: tlsFiles, uris: relay.uris, first: tls })
    : { ...tls, ...yield* makeSelfSigned([first, ...others]) }
})

export const layer = (settings: SettingsShape) =>
  Layer.unwrap(Effect.map(currentTls(settings), (tls) => Transport.layerNode({ ...settings.transport, tls })))
