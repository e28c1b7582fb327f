/**
 * Results whose credit the network holds until it has checked them. Each is asked for when the network says that it is
 * settled, and after growing pauses, since what it says may be lost. One question is open at a time, so that a start with
 * hundreds of them floods nobody.
 */
import type { Acknowledgement, RefusalCode } from '#shared/protocol/refusal'
import { backoffDelay } from '#process/backoff'
import type { RigContext } from '../base'
import type { VerifiedSession } from './verified-session'

/** A check takes another rig some time, and the network says when it is over. */
const ASK_DELAYS = { firstDelayMilliseconds: 10_000, largestDelayMilliseconds: 600_000 }

/** Refusals that say what became of the result. Any other is of the question, which is put again. */
const JUDGEMENTS: ReadonlySet<RefusalCode> = new Set<RefusalCode>([
  'forfeited',
  'wrong-result',
  'unappraisable',
  'already-credited',
  'deadline-missed',
  'lease-lost',
  'unknown-job',
])

export interface HeldCredit {
  /** Asks for a result until it is settled: first `at-once`, or after a pause. */
  follow(ref: string, first?: 'at-once'): void
  /** Asks no more; the next run does. */
  stop(): void
}

interface Followed {
  /** questions that were put */
  asked: number
  /** whether it waits for its turn to be asked for */
  isDue: boolean
  timer: { cancel(): void } | null
}

/** `settle`: writes down what became of a result. */
export function createHeldCredit(
  { clock, log, randomFraction }: Pick<RigContext, 'clock' | 'log' | 'randomFraction'>,
  options: {
    session: Pick<VerifiedSession, 'delivery' | 'on'>
    settle: (ref: string, answer: Acknowledgement) => void
  },
): HeldCredit {
  const { session, settle } = options
  const followed = new Map<string, Followed>()
  let questions = Promise.resolve()
  let stopped = false

  const ask = async (ref: string, entry: Followed): Promise<void> => {
    entry.isDue = false
    if (stopped || !followed.has(ref)) return
    try {
      const answer = await session.delivery({ ref })
      if (stopped) return
      if (isJudged(answer)) {
        settle(ref, answer)
        followed.delete(ref)
        return
      }
      if (!answer.ok) log.warn('the network does not say now what became of a result', { ref, ...answer.refusal })
    } catch (error) {
      if (stopped) return
      log.warn('what became of a result is asked again', { ref, reason: String(error) })
    }
    plan(ref, entry)
  }
  const putDue = (ref: string, entry: Followed): void => {
    entry.timer?.cancel()
    if (entry.isDue) return
    entry.isDue = true
    questions = questions.then(() => ask(ref, entry))
  }
  const plan = (ref: string, entry: Followed): void => {
    entry.timer?.cancel()
    entry.timer = clock.setTimeout(() => putDue(ref, entry), backoffDelay(entry.asked++, randomFraction(), ASK_DELAYS))
  }

  const unsubscribe = session.on('settled', ({ ref }) => {
    const entry = followed.get(ref)
    if (entry) putDue(ref, entry)
  })

  return {
    follow: (ref, first) => {
      if (stopped || followed.has(ref)) return
      const entry: Followed = { asked: 0, isDue: false, timer: null }
      followed.set(ref, entry)
      if (first === 'at-once') putDue(ref, entry)
      else plan(ref, entry)
    },
    stop: () => {
      stopped = true
      unsubscribe()
      for (const { timer } of followed.values()) timer?.cancel()
      followed.clear()
    },
  }
}

function isJudged(answer: Acknowledgement): boolean {
  return answer.ok ? answer.state !== 'held' : JUDGEMENTS.has(answer.refusal.code)
}
