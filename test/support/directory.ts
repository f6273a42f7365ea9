import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"

/** A new directory, which is removed with all that is in it when the scope closes. */
export const temporaryDirectory = Effect.flatMap(
  FileSystem.FileSystem,
  (fs) => fs.makeTempDirectoryScoped({ prefix: "msrp-" })
).pipe(Effect.provide(NodeFileSystem.layer), Effect.orDie)
