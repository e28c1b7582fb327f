/** The small parts that every screen shares: panel, mark, qualifier, states of a list, switch, choice. */
import type { ReactNode } from 'react'
import { Switch as BaseSwitch } from '@base-ui/react/switch'
import { Trans, useLingui } from '@lingui/react/macro'
import type { Certainty } from '#shared/contract/common'
import type { Failure } from '#shared/domain/errors'
import { sentence } from './format'
import { Icon, type IconName } from './icons'
import { useMessages } from './messages'

interface PanelProps {
  title: string
  /** period or source, in ink-3 beside the title */
  note?: ReactNode
  /** at the right end of the head */
  end?: ReactNode
  className?: string
  children: ReactNode
}

export function Panel({ title, note, end, className = '', children }: PanelProps) {
  return (
    <section className={`panel ${className}`} aria-label={title}>
      <header>
        <h2>{title}</h2>
        {note !== undefined && <span className="muted cut">{note}</span>}
        {end !== undefined && <span className="end">{end}</span>}
      </header>
      {children}
    </section>
  )
}

export type MarkState = 'mining' | 'paused' | 'warning' | 'error' | 'idle'
const MARK_ICONS: Record<MarkState, IconName> = {
  mining: 'disc',
  paused: 'pause',
  warning: 'warning',
  error: 'error',
  idle: 'ring',
}

/** The mark of a state: one shape for each state. The word for it stands beside the mark. */
export function Mark({ state, small = false, icon }: { state: MarkState; small?: boolean; icon?: IconName }) {
  return (
    <span className={`mark ${state} ${small ? 'sm' : ''}`}>
      <Icon name={icon ?? MARK_ICONS[state]} small={small} />
    </span>
  )
}

/** How sure a figure is: ○ ◒ ● and the word. `source` names the sensor or table row. */
export function Qualifier({
  certainty,
  source,
  children,
}: {
  certainty: Certainty | 'stale' | 'confirmed' | null
  source?: string | undefined
  children?: ReactNode
}) {
  if (certainty === null) return null
  return (
    <span className={`q ${certainty}`} title={source}>
      {children ?? <CertaintyWord certainty={certainty} />}
    </span>
  )
}

function CertaintyWord({ certainty }: { certainty: Certainty | 'stale' | 'confirmed' }) {
  switch (certainty) {
    case 'measured':
      return <Trans>measured</Trans>
    case 'estimated':
      return <Trans>estimated</Trans>
    case 'mixed':
      return <Trans>partly measured</Trans>
    case 'confirmed':
      return <Trans>confirmed</Trans>
    case 'stale':
      return <Trans>out of date</Trans>
  }
}

export function Loading() {
  const { t } = useLingui()
  return (
    <output className="load" aria-label={t`Loading`}>
      <i />
      <i />
      <i />
    </output>
  )
}

/** An empty place: says what will appear here and how. */
export function Empty({ title, children }: { title: ReactNode; children: ReactNode }) {
  return (
    <div className="empty">
      <b>{title}</b>
      <p>{children}</p>
    </div>
  )
}

/** A failure: what happened, what the person can do, and one button. */
export function Problem({ failure, onRetry }: { failure: Failure; onRetry?: () => void }) {
  const messages = useMessages()
  const action = messages.action(failure.words)
  return (
    <div className="empty error" role="alert">
      <b>{sentence(messages.text(failure.words))}</b>
      {action !== '' && <p>{sentence(action)}</p>}
      {onRetry && (
        <button type="button" className="btn sm" onClick={onRetry}>
          <Trans>Try again</Trans>
        </button>
      )}
    </div>
  )
}

interface LoadedProps<T> {
  answer: { data: T | undefined; failure: Failure | undefined; reload(): void }
  children: (data: T) => ReactNode
}

/** An answer as loading, error or data. What an empty answer looks like is decided by `children`. */
export function Loaded<T>({ answer, children }: LoadedProps<T>) {
  if (answer.data !== undefined) return children(answer.data)
  if (answer.failure) return <Problem failure={answer.failure} onRetry={answer.reload} />
  return <Loading />
}

interface SwitchProps {
  label: string
  checked: boolean
  disabled?: boolean
  title?: string | undefined
  onChange: (checked: boolean) => void
}

export function Switch({ label, checked, disabled = false, title, onChange }: SwitchProps) {
  return (
    <BaseSwitch.Root
      className={`switch ${checked ? 'on' : ''}`}
      aria-label={label}
      title={title}
      checked={checked}
      disabled={disabled}
      onCheckedChange={onChange}
    />
  )
}

interface SegmentedProps<T extends string> {
  label: string
  value: T
  choices: readonly { value: T; text: string }[]
  onChange: (value: T) => void
}

/** A choice of one among a few, all of them visible. */
export function Segmented<T extends string>({ label, value, choices, onChange }: SegmentedProps<T>) {
  return (
    <fieldset className="seg" aria-label={label}>
      {choices.map((choice) => (
        <button
          type="button"
          key={choice.value}
          aria-pressed={choice.value === value}
          onClick={() => onChange(choice.value)}
        >
          {choice.text}
        </button>
      ))}
    </fieldset>
  )
}

interface ChoiceProps<T extends string> extends SegmentedProps<T> {
  /** the label stands inside the control, before the value */
  inline?: boolean
  disabled?: boolean
}

/** A choice of one among many, with the system's own list, which every keyboard and screen reader knows. */
export function Choice<T extends string>({
  label,
  value,
  choices,
  onChange,
  inline = false,
  disabled = false,
}: ChoiceProps<T>) {
  return (
    <label className="input select">
      {inline && (
        <span className="muted" aria-hidden="true">
          {label}
        </span>
      )}
      <select
        aria-label={label}
        value={value}
        disabled={disabled}
        onChange={(event) => onChange(event.target.value as T)}
      >
        {choices.map((choice) => (
          <option key={choice.value} value={choice.value}>
            {choice.text}
          </option>
        ))}
      </select>
      <Icon name="down" small />
    </label>
  )
}

/** A setting: name and help left, control right. */
export function Setting({ name, help, children }: { name: ReactNode; help?: ReactNode; children: ReactNode }) {
  return (
    <div className="set">
      <div>
        <div>{name}</div>
        {help !== undefined && <div className="help">{help}</div>}
      </div>
      {children}
    </div>
  )
}

interface FigureHeadProps {
  name: string
  unit: string
  title?: string
  className?: string
}

/** The head of a table's column of figures, with their unit. */
export function FigureHead({ name, unit, title, className }: FigureHeadProps) {
  return (
    <th className={className === undefined ? 'r' : `r ${className}`} title={title}>
      {name}
      <span className="u">{unit}</span>
    </th>
  )
}
