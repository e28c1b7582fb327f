/** Node fires a timer of more than 2³¹ − 1 milliseconds, about 25 days, at once. */
const LONGEST_MILLISECONDS = 2 ** 31 - 1

/** Calls back once, after any number of milliseconds. */
export function afterMilliseconds(milliseconds: number, callback: () => void): { cancel(): void } {
  let timer: NodeJS.Timeout
  const wait = (left: number): void => {
    const step = Math.min(left, LONGEST_MILLISECONDS)
    timer = setTimeout(() => (left > step ? wait(left - step) : callback()), step)
  }
  wait(milliseconds)
  return { cancel: () => clearTimeout(timer) }
}
