/** How tests wait: for a state, and never for a time. */

/** The limit of every wait. It is for a machine with much else to do; a state that comes ends the wait at once. */
export const WAIT_MILLISECONDS = 300_000

const POLL_MILLISECONDS = 50

/** Settles when `condition` holds; rejects after the limit with `what`. */
export async function eventually(
  condition: () => boolean | Promise<boolean>,
  what: string | (() => string),
): Promise<void> {
  const deadline = performance.now() + WAIT_MILLISECONDS
  while (!(await condition())) {
    if (performance.now() > deadline) {
      const text = typeof what === 'string' ? what : what()
      throw new Error(`not within ${WAIT_MILLISECONDS / 1000} s: ${text}`)
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MILLISECONDS))
  }
}
