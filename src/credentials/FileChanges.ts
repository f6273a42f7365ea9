/** Notices changes of a file by its time of modification, size and inode. */
import * as ByteSize from "effect/ByteSize"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"

/** Identifies a version of the file. */
const versionOf = (info: FileSystem.File.Info): string => {
  const modified = Option.match(info.mtime, { onNone: () => "", onSome: (date) => String(date.getTime()) })
  return `${modified} ${ByteSize.toBigInt(info.size)} ${Option.getOrElse(info.ino, () => 0n)}`
}

export class FileChanges<E> {
  #version = ""
  #isSettled = false
  /** The contents, to be compared with those at the next call. */
  #octets: Uint8Array | undefined
  /**
   * The contents, if they have changed since the last call; at the first call always. A change within one tick of the file's
   * time stamp does not show in its version, so the contents of a new version are compared once more.
   */
  readonly next: Effect.Effect<Uint8Array | undefined, E>

  constructor(
    stat: Effect.Effect<FileSystem.File.Info, E>,
    read: (info: FileSystem.File.Info) => Effect.Effect<Uint8Array, E>
  ) {
    this.next = Effect.gen({ self: this }, function*() {
      const info = yield* stat
      const version = versionOf(info)
      if (version === this.#version && this.#isSettled) return undefined
      this.#isSettled = version === this.#version
      this.#version = version
      const before = this.#octets
      this.#octets = undefined
      const found = yield* read(info)
      if (!this.#isSettled) this.#octets = found
      else if (before !== undefined && Buffer.compare(before, found) === 0) return undefined
      return found
    })
  }

  /** The version at the last call; empty before the first one. */
  get version(): string {
    return this.#version
  }

  /** Whether the file had the same version at the last two calls. */
  get isSettled(): boolean {
    return this.#isSettled
  }

  /** Makes the next call give the contents of an unsettled version again. */
  repeat(): void {
    this.#octets = undefined
  }

  /** Makes the next call read the file as a new version. */
  forget(): void {
    this.#version = ""
  }
}
