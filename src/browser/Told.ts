/** Functions of a page that are told how far a message is: its own, which is not to suffer by one that is broken. */

/** The function; once it throws, or gives a promise that is rejected, the console has that and it is told nothing more. */
export const told = <Now>(tell: (now: Now) => unknown): (now: Now) => void => {
  let isBroken = false
  const broken = (error: unknown): void => {
    if (!isBroken) console.error("a function that is told of progress is broken", error)
    isBroken = true
  }
  return (now) => {
    if (isBroken) return
    try {
      Promise.resolve(tell(now)).catch(broken)
    } catch (error) {
      broken(error)
    }
  }
}
