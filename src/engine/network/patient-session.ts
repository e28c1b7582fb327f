/** A session whose callers are paused while the network says that a budget is used up: it judged nothing, so the same is asked again. */
import type { Refusal } from '#shared/protocol/refusal'
import type { Session, SessionProtocol } from '#shared/protocol/session'
import { backoffDelay } from '#process/backoff'
import type { RigContext } from '../base'

/** A refusal that lasts longer than about eight seconds is the caller's: it is shown, as any other refusal. */
const TRIES = 5
const DELAYS = { firstDelayMilliseconds: 500, largestDelayMilliseconds: 4000 }

/** Whether the network judged nothing, since a budget is used up. */
export function isOverBudget(answer: { ok: true } | { ok: false; refusal: Refusal }): boolean {
  return !answer.ok && answer.refusal.code === 'over-budget'
}

/** The session; `impatient` methods pass as they are: their callers have ways of their own. Its `close` ends the pauses too. */
export function patientSession<P extends SessionProtocol>(
  { clock, randomFraction }: Pick<RigContext, 'clock' | 'randomFraction'>,
  { procedures }: P,
  session: Session<P>,
  impatient: readonly (keyof P['procedures'] & string)[] = [],
): Session<P> {
  const pauses = new Set<() => void>()
  let isOpen = true
  const pause = (milliseconds: number): Promise<void> =>
    new Promise((resolve) => {
      const end = (): void => {
        timer.cancel()
        pauses.delete(end)
        resolve()
      }
      const timer = clock.setTimeout(end, milliseconds)
      pauses.add(end)
    })
  const methods = session as unknown as Record<string, (request: unknown) => Promise<never>>
  const ask = async (method: string, request: unknown): Promise<unknown> => {
    for (let tries = 1; ; tries++) {
      const answer: { ok: true } | { ok: false; refusal: Refusal } | undefined = await methods[method]?.(request)
      if (answer === undefined || !isOverBudget(answer) || tries === TRIES || !isOpen) return answer
      await pause(backoffDelay(tries - 1, randomFraction(), DELAYS))
    }
  }
  const patient = Object.keys(procedures).filter((method) => !impatient.includes(method))
  return {
    ...session,
    ...Object.fromEntries(patient.map((method) => [method, (request: unknown) => ask(method, request)])),
    close: () => {
      isOpen = false
      session.close()
      for (const end of Array.from(pauses)) end()
    },
  }
}
