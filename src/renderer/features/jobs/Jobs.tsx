/** Every share and job: newest first, filtered, one at a time in detail, and jobs that a person runs. */
import { Trans, useLingui } from '@lingui/react/macro'
import { useEffect, useState } from 'react'
import type { WorkFilter } from '#shared/contract/jobs'
import type { WorkKind } from '#shared/contract/jobs'
import { jobStates, type JobState } from '#shared/domain/states'
import { go, useRoute } from '../../app/route'
import { useAnswer } from '../../data/answer'
import { useLinked, useStore } from '../../data/store'
import { count } from '../../ui/format'
import { Icon } from '../../ui/icons'
import { NoJobs } from '../../ui/no-jobs'
import { Choice } from '../../ui/parts'
import { RunJob } from './RunJob'
import { JobDetail } from './JobDetail'
import { JobTable } from './JobTable'
import { KindSummary } from './KindSummary'

const KINDS: readonly WorkKind[] = ['chat', 'embed', 'ocr', 'proof']
const TYPING_MILLISECONDS = 250

export function Jobs() {
  const { t } = useLingui()
  const { part } = useRoute()
  const devices = useStore((state) => state.devices) ?? []
  const status = useStore((state) => state.status)
  const linked = useLinked()
  const summary = useAnswer('jobs.summary', null, {
    on: ['job.changed', 'credit.changed'],
    restMilliseconds: 1000,
    everyMilliseconds: 60_000,
  })
  const [kind, setKind] = useState<WorkKind | 'all'>('all')
  const [state, setState] = useState<JobState | 'all'>('all')
  const [device, setDevice] = useState('all')
  const [typed, setTyped] = useState('')
  const search = useSettled(typed.trim(), TYPING_MILLISECONDS)
  const [asked, setAsked] = useState<{ image: File | null } | null>(null)
  const filter: WorkFilter = {
    ...(kind === 'all' ? {} : { kind }),
    ...(state === 'all' ? {} : { state }),
    ...(device === 'all' ? {} : { deviceId: device }),
    ...(search === '' ? {} : { search }),
  }
  const filtered = Object.keys(filter).length > 0
  const today = summary.data?.reduce((sum, row) => sum + row.count, 0)
  return (
    <div
      className="jobs-screen"
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => {
        event.preventDefault()
        const file = event.dataTransfer.files[0]
        if (file && linked) setAsked({ image: file })
      }}
    >
      <div className="title">
        <h1>
          <Trans>Jobs</Trans>
        </h1>
        {today !== undefined && <span className="muted wide-only">{t`${count(today)} accepted today`}</span>}
        <span className="grow" />
        <fieldset className="bare" disabled={!linked}>
          <span className="input search">
            <Icon name="search" small />
            <input
              aria-label={t`Search`}
              placeholder={t`Id, model or digest`}
              value={typed}
              maxLength={100}
              onChange={(event) => setTyped(event.target.value)}
            />
          </span>
          <Choice
            inline
            label={t`Kind`}
            value={kind}
            onChange={setKind}
            choices={[{ value: 'all', text: t`all` }, ...KINDS.map((value) => ({ value, text: value }))]}
          />
          <Choice
            inline
            label={t`State`}
            value={state}
            onChange={setState}
            choices={[{ value: 'all', text: t`all` }, ...jobStates.map((value) => ({ value, text: value }))]}
          />
          {devices.length > 1 && (
            <span className="wide-only">
              <Choice
                inline
                label={t`Device`}
                value={device}
                onChange={setDevice}
                choices={[{ value: 'all', text: t`all` }, ...devices.map((one) => ({ value: one.id, text: one.name }))]}
              />
            </span>
          )}
          <button
            type="button"
            className="btn primary"
            title={linked ? undefined : t`The engine is gone`}
            onClick={() => setAsked({ image: null })}
          >
            <Icon name="plus" small />
            <Trans>Run a job</Trans>
          </button>
        </fieldset>
      </div>
      <KindSummary answer={summary} />
      {status && <NoJobs status={status} />}
      <div className={`cols jobs ${part === '' ? 'alone' : ''}`}>
        <section className="panel job-list" aria-label={t`Jobs`}>
          <JobTable filter={filter} filtered={filtered} chosen={part} onChoose={(id) => go('jobs', id)} />
        </section>
        {part !== '' && <JobDetail key={part} id={part} onClose={() => go('jobs')} />}
      </div>
      {asked && (
        <RunJob
          image={asked.image}
          onClose={() => setAsked(null)}
          onShow={(id) => {
            setAsked(null)
            go('jobs', id)
          }}
        />
      )}
    </div>
  )
}

/** The value once it has not changed for a while. */
function useSettled(value: string, milliseconds: number): string {
  const [settled, setSettled] = useState(value)
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), milliseconds)
    return () => clearTimeout(timer)
  }, [value, milliseconds])
  return settled
}
