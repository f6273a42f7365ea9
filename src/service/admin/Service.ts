/** The admin API of the service, if the settings configure one. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Admin from "../../Admin.ts"
import type { LiveSettings } from "../LiveSettings.ts"
import type { AdminSettings } from "../Settings.ts"
import { layerParts } from "./Parts.ts"

const tokenOf = ({ tokenFile }: AdminSettings): Layer.Layer<Admin.AdminToken> =>
  tokenFile === undefined
    ? Admin.AdminToken.layerNone
    : Layer.provide(Admin.AdminToken.layerFile(tokenFile), NodeFileSystem.layer)

const announce = ({ address, tokenFile }: AdminSettings) =>
  Effect.annotateLogs(Effect.logInfo("admin API listening"), {
    admin: Admin.formatAdminAddress(address),
    token: tokenFile === undefined ? "none" : "required"
  })

/** Listens while the layer lives; fails if it cannot. */
export const layer = (live: LiveSettings, admin: AdminSettings) =>
  Layer.provide(
    Layer.effectDiscard(announce(admin)),
    Admin.layer(admin.address).pipe(Layer.provide([layerParts(live), tokenOf(admin)]))
  )
