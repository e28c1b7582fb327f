/** The browser's own range control, which every keyboard and screen reader knows, with its value in words beside it. */
import type { CSSProperties } from 'react'

interface SliderProps {
  label: string
  value: number
  minimum: number
  maximum: number
  step: number
  /** the value as it is read: "35 %", "120 W" */
  text: string
  disabled?: boolean
  onChange: (value: number) => void
}

export function Slider({ label, value, minimum, maximum, step, text, disabled = false, onChange }: SliderProps) {
  const share = maximum > minimum ? (value - minimum) / (maximum - minimum) : 0
  const style = { '--v': `${share * 100}%` } as CSSProperties
  return (
    <span className="range">
      <input
        type="range"
        style={style}
        aria-label={label}
        aria-valuetext={text}
        min={minimum}
        max={maximum}
        step={step}
        value={value}
        disabled={disabled}
        onChange={(event) => onChange(Number(event.target.value))}
      />
      <span className="num">{text}</span>
    </span>
  )
}
