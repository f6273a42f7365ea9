/** Guards a page's progress callback: a message does not fail because its callback does. */

/** Reports the first error of `callback` to the console, also a rejected promise, and does not call it again after that. */
export const guardedProgress = <Progress>(callback: (progress: Progress) => unknown): (progress: Progress) => void => {
  let isBroken = false
  const onBroken = (error: unknown): void => {
    if (!isBroken) console.error("a function that is told of progress is broken", error)
    isBroken = true
  }
  return (progress) => {
    if (isBroken) return
    try {
      Promise.resolve(callback(progress)).catch(onBroken)
    } catch (error) {
      onBroken(error)
    }
  }
}
