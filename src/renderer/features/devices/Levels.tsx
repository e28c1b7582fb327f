/** How much of the devices mining may use while a person uses the computer, while the person is away, and at night. */
import { Trans, useLingui } from '@lingui/react/macro'
import { useEffect, useState } from 'react'
import type { EngineStatus } from '#shared/contract/engine'
import { timeOfDay, type Pace, type Throttle, type ThrottleLevelName } from '#shared/contract/throttle'
import { percent } from '../../ui/format'
import { Loading, Panel, Switch } from '../../ui/parts'
import { saveSettings } from '../settings/save'
import { Slider } from './Slider'

const SETTLE_MILLISECONDS = 400
const NEW_NIGHT: NonNullable<Throttle['night']> = { threadsShare: 1, dutyCycle: 1, from: '22:00', to: '07:00' }

interface LevelsProps {
  throttle: Throttle | undefined
  now: EngineStatus['throttle'] | undefined
}

export function Levels({ throttle, now }: LevelsProps) {
  const { t } = useLingui()
  const names: Record<ThrottleLevelName, string> = {
    inUse: t`While you're using the computer`,
    idle: t`While you're away`,
    night: t`At night`,
  }
  return (
    <Panel title={t`Levels`} note={now && <span className="tag">{t`now: ${names[now.level].toLowerCase()}`}</span>}>
      <div className="rule-top">
        {throttle === undefined ? <Loading /> : <Rows throttle={throttle} current={now?.level} names={names} />}
      </div>
      <p className="rule-top foot-note">
        <Trans>
          For every device. Threads count where a device has them to choose; at 0 % of the time nothing is proved at
          that level, and a job that you gave still runs. A change takes effect within a second.
        </Trans>
      </p>
    </Panel>
  )
}

interface RowsProps {
  throttle: Throttle
  current: ThrottleLevelName | undefined
  names: Record<ThrottleLevelName, string>
}

function Rows({ throttle, current, names }: RowsProps) {
  const { t } = useLingui()
  // The changed levels that are not saved yet; null once they are saved.
  const [draft, setDraft] = useState<Throttle | null>(null)
  useEffect(() => {
    if (draft === null) return
    const timer = setTimeout(() => {
      saveSettings({ throttle: draft })
      setDraft(null)
    }, SETTLE_MILLISECONDS)
    return () => clearTimeout(timer)
  }, [draft])
  const shown = draft ?? throttle
  const { night } = shown
  return (
    <>
      <table className="tbl tall levels">
        <caption className="sr">{t`Levels`}</caption>
        <colgroup>
          <col className="w-level" />
          <col />
          <col />
        </colgroup>
        <thead>
          <tr>
            <th>{t`When`}</th>
            <th>{t`Threads`}</th>
            <th>{t`Share of time mining`}</th>
          </tr>
        </thead>
        <tbody>
          <LevelRow
            name={names.inUse}
            pace={shown.inUse}
            isNow={current === 'inUse'}
            onChange={(pace) => setDraft({ ...shown, inUse: pace })}
          />
          <LevelRow
            name={names.idle}
            pace={shown.idle}
            isNow={current === 'idle'}
            onChange={(pace) => setDraft({ ...shown, idle: pace })}
          />
          {night !== null && (
            <LevelRow
              name={names.night}
              hours={t`${night.from} to ${night.to}`}
              pace={night}
              isNow={current === 'night'}
              onChange={(pace) => setDraft({ ...shown, night: { ...night, ...pace } })}
            />
          )}
        </tbody>
      </table>
      <div className="set rule-top">
        <div className="row">
          <span>
            <Trans>Use a separate level at night</Trans>
          </span>
          {night !== null && (
            <span className="row">
              <TimeOfDay
                label={t`Night begins`}
                value={night.from}
                onChange={(from) => setDraft({ ...shown, night: { ...night, from } })}
              />
              <span className="muted" aria-hidden="true">
                –
              </span>
              <TimeOfDay
                label={t`Night ends`}
                value={night.to}
                onChange={(to) => setDraft({ ...shown, night: { ...night, to } })}
              />
            </span>
          )}
        </div>
        <Switch
          label={t`Use a separate level at night`}
          checked={night !== null}
          onChange={(on) => setDraft({ ...shown, night: on ? NEW_NIGHT : null })}
        />
      </div>
    </>
  )
}

interface LevelRowProps {
  name: string
  /** below the name */
  hours?: string
  pace: Pace
  isNow: boolean
  onChange: (pace: Pace) => void
}

function LevelRow({ name, hours, pace, isNow, onChange }: LevelRowProps) {
  const { t } = useLingui()
  const { threadsShare, dutyCycle } = pace
  return (
    <tr aria-selected={isNow}>
      <td>
        {name}
        {hours !== undefined && <span className="sub">{hours}</span>}
      </td>
      <td>
        <Slider
          label={t`${name}: share of the threads`}
          value={Math.round(threadsShare * 100)}
          minimum={10}
          maximum={100}
          step={10}
          text={percent(threadsShare)}
          onChange={(value) => onChange({ threadsShare: value / 100, dutyCycle })}
        />
      </td>
      <td>
        <Slider
          label={t`${name}: share of time mining`}
          value={Math.round(dutyCycle * 100)}
          minimum={0}
          maximum={100}
          step={5}
          text={percent(dutyCycle)}
          onChange={(value) => onChange({ threadsShare, dutyCycle: value / 100 })}
        />
      </td>
    </tr>
  )
}

/** A time of day on a 24-hour clock. The browser's own control would follow the browser's language. */
function TimeOfDay({ label, value, onChange }: { label: string; value: string; onChange: (value: string) => void }) {
  const [written, setWritten] = useState<string | null>(null)
  const text = written ?? value
  const isTime = timeOfDay.safeParse(text).success
  return (
    <span className={`input time ${isTime ? '' : 'wrong'}`}>
      <input
        className="num"
        inputMode="numeric"
        aria-label={label}
        aria-invalid={!isTime}
        maxLength={5}
        placeholder="22:00"
        value={text}
        onChange={(event) => {
          setWritten(event.target.value)
          if (timeOfDay.safeParse(event.target.value).success) onChange(event.target.value)
        }}
        onBlur={() => setWritten(null)}
      />
    </span>
  )
}
