/** Paths, as they stand in To-Path and From-Path (RFC 4975 §7.1). */
import type { MsrpUri } from "../protocol/Uri.ts"

/**
 * A path: one URI, several, or the value of a path header.
 *
 * @category models
 * @since 0.1.0
 */
export type Path = string | MsrpUri | ReadonlyArray<string | MsrpUri>

/** The value of a path header. */
export const pathText = (path: Path): string => {
  if (typeof path === "string") return path
  return "text" in path ? path.text : path.map((uri) => typeof uri === "string" ? uri : uri.text).join(" ")
}

/** The URIs in the value of a path header, unchecked. */
export const pathUris = (path: string): ReadonlyArray<string> => path.split(" ").filter((uri) => uri !== "")
