/**
 * What a rig's known answers say about it (protocol.md §3): who misses several in a row gets no jobs for a while, longer each
 * time, and a while without misses makes up for it. Only known answers count, which are the network's own questions: nothing that
 * a buyer does brings a rig a pause.
 */
import type { CoordinatorConfiguration, KnownAnswerRules } from './configuration'
import { refuse, type Refused } from './refusals'
import type { CoordinatorStore, RigRecord } from './store'

export const NO_RECORD: RigRecord = { misses: 0, pauses: 0, pausedUntil: 0 }

/** The record after a known answer was missed at `now` (UTC ms). */
export function afterMiss(record: RigRecord, now: number, rules: KnownAnswerRules): RigRecord {
  const misses = record.misses + 1
  if (misses < rules.missesToPause) return { ...record, misses }
  const sincePause = Math.max(0, now - record.pausedUntil)
  const forgotten = Math.floor(sincePause / (rules.forgottenAfterSeconds * 1000))
  const pauses = Math.max(0, record.pauses - forgotten) + 1
  const seconds = Math.min(rules.pauseSeconds * 2 ** (pauses - 1), rules.longestPauseSeconds)
  return { misses: 0, pauses, pausedUntil: now + seconds * 1000 }
}

/** The record after a known answer was found. */
export function afterMatch(record: RigRecord): RigRecord {
  return { ...record, misses: 0 }
}

export interface Records {
  missed(rig: string): Promise<void>
  matched(rig: string): Promise<void>
  /** Why this rig gets no jobs now; undefined: it may. */
  refusal(rig: string): Promise<Refused | undefined>
}

/** The network's own rig has no record: practice has no other, and its person's jobs would wait. Rejects when the store does. */
export function createRecords({
  store,
  clock,
  configuration,
}: {
  store: Pick<CoordinatorStore, 'rigRecord' | 'compareAndSetRecord'>
  clock: { now(): number }
  configuration: Pick<CoordinatorConfiguration, 'knownAnswers' | 'ownRig'>
}): Records {
  const { knownAnswers, ownRig } = configuration
  const change = async (rig: string, next: (record: RigRecord) => RigRecord): Promise<void> => {
    if (rig === ownRig) return
    for (;;) {
      const record = (await store.rigRecord(rig)) ?? NO_RECORD
      if (await store.compareAndSetRecord(rig, record, next(record))) return
    }
  }
  return {
    missed: (rig) => change(rig, (record) => afterMiss(record, clock.now(), knownAnswers)),
    matched: (rig) => change(rig, afterMatch),
    refusal: async (rig) => {
      const { pausedUntil } = (rig === ownRig ? undefined : await store.rigRecord(rig)) ?? NO_RECORD
      if (clock.now() >= pausedUntil) return undefined
      const until = new Date(pausedUntil).toISOString()
      return refuse('suspended', `This rig missed known answers in a row: it gets no jobs until ${until}.`)
    },
  }
}
