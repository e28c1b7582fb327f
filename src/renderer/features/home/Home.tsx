/** Home: whether the rig mines, what it earns, what that costs, and whether all is well, in that order. */
import { Trans } from '@lingui/react/macro'
import type { Period } from '#shared/contract/common'
import { useState } from 'react'
import { useAnswer } from '../../data/answer'
import { useStore } from '../../data/store'
import { BeforeStart } from './BeforeStart'
import { History } from './History'
import { Instrument } from './Instrument'
import { Now } from './Now'

export function Home() {
  const status = useStore((state) => state.status)
  const [chosen, setChosen] = useState<Period | null>(null)
  const [openedAt] = useState(() => Date.now())
  const first = firstPeriod(status?.since ?? null, openedAt)
  const period = chosen ?? first
  const history = useAnswer('engine.history', { period }, { everyMilliseconds: HISTORY_MILLISECONDS[period] })
  const today = useAnswer('engine.today', null, {
    on: ['credit.changed', 'engine.status', 'settings.changed'],
    restMilliseconds: 1000,
    everyMilliseconds: 10_000,
  })
  if (!status) return null
  const firstRun = status.state === 'stopped' && status.credits === 0
  return (
    <>
      <h1 className="sr">
        <Trans>Home</Trans>
      </h1>
      <Instrument status={status} today={today} history={history.data} />
      <div className="cols wide fill">
        {firstRun ? (
          <>
            <BeforeStart status={status} today={today.data} />
            <History answer={history} period={period} onPeriod={setChosen} />
          </>
        ) : (
          <>
            <History answer={history} period={period} onPeriod={setChosen} />
            <Now status={status} today={today.data} />
          </>
        )}
      </div>
    </>
  )
}

/** Milliseconds between two questions for a chart's data: about the step of its points. */
const HISTORY_MILLISECONDS: Record<Period, number> = { '1h': 5000, '3h': 10_000, '24h': 60_000, '7d': 300_000 }

/** The shortest period that shows a run: one that began less than an hour before the screen was opened would be a thin line in a chart of three hours. */
function firstPeriod(since: number | null, openedAt: number): Period {
  return since !== null && openedAt - since < 3_600_000 ? '1h' : '3h'
}
