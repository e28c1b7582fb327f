/* oxlint-disable jsx-a11y/prefer-tag-over-role -- drawn by script from parts: no element is an image of its own */
/** The scale of work per joule: a slide rule with a needle for this rig and a mark for each device. */
import { Trans, useLingui } from '@lingui/react/macro'
import { joined, scaled, three } from '../ui/format'
import { Icon, type IconName } from '../ui/icons'
import { scalePercent, scaleRange, scaleTicks } from './scale-marks'

export interface ScaleMark {
  name: string
  macsPerJoule: number
  icon: IconName
}

interface ScaleProps {
  /** this rig's work per joule, MAC/J; null before the first reading */
  macsPerJoule: number | null
  /** lowest and highest of the period shown below, MAC/J */
  band: { from: number; to: number; period: string } | null
  devices: readonly ScaleMark[]
  stale: boolean
  /** why there is no reading */
  none: string
  /** beside the needle: there is no break-even where nothing is paid */
  say: string
}

const GIGA = 1e9

export function Scale({ macsPerJoule, band, devices, stale, none, say }: ScaleProps) {
  const { t } = useLingui()
  const inGiga = [macsPerJoule, band?.from, band?.to, ...devices.map((device) => device.macsPerJoule)].flatMap(
    (value) => (value ? [value / GIGA] : []),
  )
  const range = scaleRange(inGiga)
  const words = [
    macsPerJoule === null ? none : t`This rig ${joined(scaled(macsPerJoule, 'MAC/J'), ' ')}`,
    ...devices.map((device) => `${device.name} ${three(device.macsPerJoule / GIGA)} GMAC/J`),
  ].join(', ')
  if (range === null) {
    return (
      <div className="scale bare" role="img" aria-label={t`Work per joule on a logarithmic scale: ${none}`}>
        <div className="track" />
        <span className="cap">
          <Trans>Work per joule, log scale</Trans>
        </span>
        <span className="cap two">{none}</span>
      </div>
    )
  }
  const at = (value: number): number => scalePercent(value / GIGA, range)
  const needle = macsPerJoule === null ? null : at(macsPerJoule)
  return (
    <div
      className={`scale ${stale ? 'stale' : ''}`}
      role="img"
      aria-label={t`Work per joule on a logarithmic scale from ${three(range.low)} to ${three(range.high)} GMAC/J: ${words}`}
    >
      <div className="track" />
      <span className="cap">
        <Trans>Work per joule, GMAC/J, log scale</Trans>
      </span>
      <span className="cap two">
        {band ? (
          <>
            <i />
            {t`${band.period}: ${three(band.from / GIGA)} to ${three(band.to / GIGA)}`}
          </>
        ) : (
          macsPerJoule === null && none
        )}
      </span>
      {band && (
        <i
          className="band"
          style={{ left: `${at(band.from)}%`, width: `calc(${Math.max(0, at(band.to) - at(band.from))}% + 2px)` }}
        />
      )}
      <Ticks range={range} />
      {needle !== null && (
        <>
          <div className={`needle ${needle > 60 ? 'flip' : ''}`} style={{ left: `${needle}%` }}>
            <em>
              <Trans>This rig</Trans> {three((macsPerJoule ?? 0) / GIGA)} GMAC/J
            </em>
          </div>
          <div
            className={`say ${needle > 60 ? 'flip' : ''}`}
            style={needle > 60 ? { right: `calc(${100 - needle}% + 10px)` } : { left: `calc(${needle}% + 10px)` }}
          >
            {say}
          </div>
        </>
      )}
      {devices.map((device) => {
        const percent = at(device.macsPerJoule)
        return (
          <div key={device.name} className={`dev ${percent > 60 ? 'right' : 'left'}`} style={{ left: `${percent}%` }}>
            <em>
              <Icon name={device.icon} />
              {device.name}, {three(device.macsPerJoule / GIGA)}
            </em>
          </div>
        )
      })}
    </div>
  )
}

function Ticks({ range }: { range: { low: number; high: number } }) {
  const ticks = scaleTicks(range)
  return (
    <>
      <svg className="ticks" viewBox="0 0 1000 16" preserveAspectRatio="none" aria-hidden="true">
        {ticks.map((tick) => (
          <line
            key={tick.percent}
            x1={tick.percent * 10}
            x2={tick.percent * 10}
            y1="0"
            y2={tick.length}
            className={tick.length === 16 ? 'maj' : ''}
          />
        ))}
      </svg>
      {ticks.map((tick) =>
        tick.label === null ? null : (
          <span
            key={tick.percent}
            className={`lab ${tick.percent === 0 ? 'first' : tick.percent === 100 ? 'last' : ''}`}
            style={{ left: `${tick.percent}%` }}
          >
            {new Intl.NumberFormat(navigator.language).format(tick.label)}
          </span>
        ),
      )}
    </>
  )
}
