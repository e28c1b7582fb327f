import { Trans, useLingui } from '@lingui/react/macro'
import { useEffect, useState } from 'react'
import type { BenchmarkProgress as Progress } from '#shared/domain/benchmark'
import { reportFailure } from '../../app/Notices'
import { client } from '../../data/client'
import { asFailure } from '../../data/store'
import { count, joined, minutesSeconds, scaled } from '../../ui/format'

const LOOK_MILLISECONDS = 250

/** A running benchmark: its phase, its rate so far, the time left, and a button that cancels it. */
export function BenchmarkProgress({ id, progress }: { id: string; progress: Progress }) {
  const { t } = useLingui()
  const [cancelling, setCancelling] = useState(false)
  const { milliseconds, macsPerSecond, isStress, noncesChecked } = progress
  const leftMilliseconds = useLeft(progress.endsAt) ?? milliseconds
  const left = minutesSeconds(leftMilliseconds + 999)
  const words: Record<Progress['phase'], string> = {
    preparing: t`Preparing the weights of ${progress.tier}`,
    checking: t`Checking known digests`,
    'warming-up': t`Warming up`,
    measuring: isStress ? t`Stress test: ${count(noncesChecked)} digests checked` : t`Measuring`,
  }
  const cancel = (): void => {
    setCancelling(true)
    client
      .call('devices.cancelBenchmark', { id })
      .catch((error: unknown) => reportFailure(asFailure(error)))
      .finally(() => setCancelling(false))
  }
  return (
    <div className="rule-top bench-progress">
      <div className="row">
        <span>{words[progress.phase]}</span>
        {macsPerSecond !== null && <span className="muted num">{joined(scaled(macsPerSecond, 'MAC/s'))}</span>}
        <span className="grow" />
        <span className="muted num">{t`${left} left`}</span>
        <button type="button" className="btn sm" disabled={cancelling} onClick={cancel}>
          <Trans>Cancel</Trans>
        </button>
      </div>
      <progress aria-label={t`Benchmark`} max={milliseconds} value={Math.max(0, milliseconds - leftMilliseconds)} />
    </div>
  )
}

/** Milliseconds left until `endsAt`; null before the benchmark begins. */
function useLeft(endsAt: number | null): number | null {
  const [now, setNow] = useState(() => Date.now())
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), LOOK_MILLISECONDS)
    return () => clearInterval(timer)
  }, [])
  return endsAt === null ? null : Math.max(0, endsAt - now)
}
