/** What each device does at this moment, in words. */
import { plural } from '@lingui/core/macro'
import { Trans, useLingui } from '@lingui/react/macro'
import type { Certainty } from '#shared/domain/energy'
import type { EngineStatus, TodaySummary } from '#shared/contract/engine'
import type { DeviceSummary } from '#shared/contract/devices'
import { href } from '../../app/route'
import { useAnswer } from '../../data/answer'
import { useLive, useStaleSince } from '../../data/live'
import { useStore } from '../../data/store'
import { bytes, clockSeconds, joined, NONE, scaled, span, watts } from '../../ui/format'
import { Empty, Mark, Panel, Qualifier, type MarkState } from '../../ui/parts'
import { NoJobs } from '../../ui/no-jobs'
import { isRunning } from './figures'
import { useMessages } from '../../ui/messages'

const MARKS: Record<DeviceSummary['state'], MarkState> = {
  off: 'idle',
  unable: 'idle',
  idle: 'idle',
  starting: 'mining',
  proving: 'mining',
  working: 'mining',
  benchmarking: 'mining',
  restarting: 'warning',
  faulted: 'error',
}
export function deviceMark(state: DeviceSummary['state']): MarkState {
  return MARKS[state]
}

export function Now({ status, today }: { status: EngineStatus; today: TodaySummary | undefined }) {
  const messages = useMessages()
  const { t } = useLingui()
  const tick = useLive()
  const stale = useStaleSince() !== null && isRunning(status)
  const devices = useStore((state) => state.devices)
  const live = isRunning(status) ? tick : null
  return (
    <Panel
      title={t`Now`}
      end={live && <span className={`muted note ${stale ? 'stale' : ''}`}>{clockSeconds(live.at)}</span>}
    >
      <div className="rule-top grow">
        {status.devices.length === 0 ? (
          <Empty title={t`No device found`}>
            <Trans>Devices looks at this computer again.</Trans>
          </Empty>
        ) : (
          <ul className={`list one ${stale ? 'stale' : ''}`}>
            {status.devices.map((device) => {
              const now = live?.devices.find((one) => one.id === device.id)
              // The rate of the last minute is left out for a stopped device: it would read as if the device still ran.
              const rate = device.state === 'faulted' ? null : (now?.macsPerSecond ?? null)
              const activity = now?.activity ?? device.activity
              const shown = rate === null ? null : scaled(rate, 'MAC/s')
              return (
                <li key={device.id}>
                  <Mark small state={deviceMark(device.state)} />
                  <div>
                    <div className="spread">
                      <b className="strong cut" title={device.name}>
                        {device.name}
                      </b>
                      <span className="num nowrap">
                        {shown ? (
                          <>
                            {shown.figure} <span className="muted">{shown.unit}</span>
                          </>
                        ) : (
                          <span className="muted">{NONE}</span>
                        )}
                      </span>
                    </div>
                    <div className="soft">
                      {device.state === 'faulted' ? (
                        <Trans>
                          Stopped; <a href={href('devices')}>Devices</a> says why.
                        </Trans>
                      ) : (
                        activity !== null && messages.text(activity)
                      )}
                    </div>
                    {now && device.state !== 'faulted' && (
                      <div className="row readings">
                        {now.watts !== null && (
                          <Qualifier
                            certainty={now.wattsCertainty}
                            source={devices?.find((one) => one.id === device.id)?.wattsSource}
                          >
                            {t`${watts(now.watts)} W`}
                          </Qualifier>
                        )}
                        {now.temperatureCelsius !== null && (
                          <Qualifier certainty="measured">{t`${Math.round(now.temperatureCelsius)} °C`}</Qualifier>
                        )}
                        {now.macsPerJoule !== null && (
                          <Qualifier certainty={now.wattsCertainty}>
                            {joined(scaled(now.macsPerJoule, 'MAC/J'), ' ')}
                          </Qualifier>
                        )}
                        {now.wattsCertainty !== null && (
                          <span className="muted note">
                            <CertaintyText certainty={now.wattsCertainty} />
                          </span>
                        )}
                      </div>
                    )}
                  </div>
                </li>
              )
            })}
          </ul>
        )}
      </div>
      <NoJobs status={status} />
      <Fetching />
      <div className="rule-top spread now-foot">
        <span className="soft">
          <Trans>Today, this rig</Trans>
        </span>
        <span className="num soft">
          {today
            ? t`${plural(today.jobs, { one: '# job', other: '# jobs' })}, ${plural(today.shares, { one: '# proof share', other: '# proof shares' })}`
            : NONE}
        </span>
      </div>
    </Panel>
  )
}

/** Downloads that run while the rig mines, one line for each. */
function Fetching() {
  const { t } = useLingui()
  const downloads = useAnswer('models.downloads', null, { on: ['models.download'], restMilliseconds: 500 })
  return downloads.data?.map(({ id, name, state, bytesDone, bytes: all, secondsLeft }) => (
    <a key={id} className="rule-top spread now-foot fetching" href={href('models')}>
      <span className="soft cut">
        {state === 'failed'
          ? t`${name} was not fetched`
          : state === 'paused'
            ? t`${name} is paused`
            : state === 'installing'
              ? t`Installing ${name}`
              : t`Fetching ${name}`}
      </span>
      <span className="num soft nowrap">
        {t`${bytes(bytesDone)} of ${bytes(all)}`}
        {secondsLeft !== null && t`, ${span(secondsLeft * 1000)} left`}
      </span>
    </a>
  ))
}

function CertaintyText({ certainty }: { certainty: Certainty | null }) {
  if (certainty === 'measured') return <Trans>measured</Trans>
  if (certainty === 'mixed') return <Trans>partly measured</Trans>
  return certainty === null ? null : <Trans>estimated</Trans>
}
