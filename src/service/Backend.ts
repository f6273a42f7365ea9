/** Who may log in: the backend that the settings name. */
import * as Duration from "effect/Duration"
import type * as FileSystem from "effect/FileSystem"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import { layerRemovedUsers } from "../authenticator/RemovedUsers.ts"
import { Credentials } from "../Credentials.ts"
import { layerCached } from "../credentials/Cached.ts"
import { layerEphemeral } from "../credentials/Ephemeral.ts"
import { type CredentialsFileError, layerFile } from "../credentials/File.ts"
import { layerHttp } from "../credentials/Http.ts"
import { layerSql, type SqlSettingsError } from "../credentials/Sql.ts"
import type { OptionsError } from "../options/Options.ts"
import type { SessionRepo } from "../SessionRepo.ts"
import type { CredentialsSettings } from "./Settings.ts"

/** Who may log in; a driver is loaded only if it is needed. */
export const layer = (
  credentials: CredentialsSettings
): Layer.Layer<Credentials, CredentialsFileError | SqlSettingsError | OptionsError, FileSystem.FileSystem> => {
  switch (credentials._tag) {
    case "Memory":
      return Credentials.layerMemory(credentials.users)
    case "File":
      return layerFile(credentials)
    case "Ephemeral":
      return layerEphemeral(credentials)
    case "Sql":
      return remembered(layerSql(credentials), credentials.cacheSeconds)
    case "Http":
      return remembered(layerHttp(credentials).pipe(Layer.provide(FetchHttpClient.layer)), credentials.cacheSeconds)
  }
}

/** Looks every so many seconds whether users who have sessions are still there; 0: never. */
export const layerRemovals = (interval: number): Layer.Layer<never, OptionsError, Credentials | SessionRepo> =>
  interval === 0 ? Layer.empty : layerRemovedUsers({ interval: Duration.seconds(interval) })

const remembered = <E>(backend: Layer.Layer<Credentials, E>, seconds: number) =>
  seconds === 0 ? backend : layerCached(backend, { timeToLive: Duration.seconds(seconds) })
