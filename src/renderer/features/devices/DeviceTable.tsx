import { useLingui } from '@lingui/react/macro'
import type { Device } from '#shared/contract/devices'
import type { LiveTick } from '#shared/contract/engine'
import { bytes, gigabytes, NONE, three, watts as wattsText } from '../../ui/format'
import { FigureHead, Mark, Qualifier, Switch } from '../../ui/parts'
import { deviceMark } from '../home/Now'
import { configureDevice } from './configure'
import { useMessages } from '../../ui/messages'

interface DeviceTableProps {
  devices: readonly Device[]
  live: LiveTick | null
  stale: boolean
  chosen: string
  onChoose: (id: string) => void
}

const GIGA = 1e9

export function DeviceTable({ devices, live, stale, chosen, onChoose }: DeviceTableProps) {
  const { t } = useLingui()
  return (
    <div className="scroll-x">
      <table className={`tbl tall devices ${stale ? 'stale' : ''}`}>
        <caption className="sr">{t`Devices of this computer`}</caption>
        <colgroup>
          <col />
          <col className="w-num" />
          <col className="w-num" />
          <col className="w-num" />
          <col className="w-heat" />
          <col className="w-num wide-only" />
          <col className="w-backend wide-only" />
          <col className="w-use" />
        </colgroup>
        <thead>
          <tr>
            <th>{t`Device`}</th>
            <FigureHead name={t`Rate`} unit="GMAC/s" />
            <FigureHead name={t`Efficiency`} unit="GMAC/J" />
            <FigureHead name={t`Power`} unit="W" />
            <FigureHead name={t`Heat`} unit="°C" />
            <FigureHead name={t`Memory`} unit="GB" className="wide-only" />
            <th className="wide-only">{t`Backend`}</th>
            <th className="c">{t`Use`}</th>
          </tr>
        </thead>
        <tbody>
          {devices.map((device) => (
            <DeviceRow
              key={device.id}
              device={device}
              now={live?.devices.find((one) => one.id === device.id)}
              chosen={device.id === chosen}
              onChoose={() => onChoose(device.id)}
            />
          ))}
        </tbody>
      </table>
    </div>
  )
}

interface DeviceRowProps {
  device: Device
  now: LiveTick['devices'][number] | undefined
  chosen: boolean
  onChoose: () => void
}

function DeviceRow({ device, now, chosen, onChoose }: DeviceRowProps) {
  const messages = useMessages()
  const { t } = useLingui()
  // The rate of the last minute is left out for a stopped device: it would read as if the device still ran.
  const rate = device.state === 'faulted' ? null : (now?.macsPerSecond ?? device.macsPerSecond)
  const power = now?.watts ?? device.watts
  const certainty = now?.wattsCertainty ?? device.wattsCertainty
  const efficiency = now?.macsPerJoule ?? device.macsPerJoule
  const heat = now?.temperatureCelsius ?? device.temperatureCelsius
  const said = device.reason ?? (device.canMine ? (now?.activity ?? device.activity) : device.activity)
  const words = said === null ? '' : messages.text(said)
  return (
    <tr aria-selected={chosen} onClick={onChoose}>
      <td>
        <div className="row device-name">
          <Mark small state={deviceMark(device.state)} />
          <div className="cut">
            <button type="button" className="row-button strong" onClick={onChoose} title={device.name}>
              {device.name}
            </button>
            <span className="sub" title={words}>
              {words}
            </span>
          </div>
        </div>
      </td>
      <Cell value={rate === null ? null : three(rate / GIGA)}>
        <Qualifier certainty="measured" />
      </Cell>
      <Cell value={efficiency === null ? null : three(efficiency / GIGA)}>
        <Qualifier certainty={certainty} source={device.wattsSource} />
      </Cell>
      <Cell value={power === null ? null : wattsText(power)} missing={t`not available`}>
        <Qualifier certainty={certainty} source={device.wattsSource} />
      </Cell>
      <td className="r">
        {heat === null ? <span className="muted">{NONE}</span> : Math.round(heat)}
        <span className="sub">
          {heat === null ? (
            t`not available`
          ) : (
            <Qualifier certainty="measured" source={t`Measured. Pauses at ${device.temperatureLimitCelsius} °C`}>
              {t`limit ${device.temperatureLimitCelsius}`}
            </Qualifier>
          )}
        </span>
      </td>
      <td className="r wide-only">
        {device.memoryUsedBytes === null ? <span className="muted">{NONE}</span> : gigabytes(device.memoryUsedBytes)}
        <span className="sub">
          {device.memoryBytes < 1e8 ? bytes(device.memoryBytes) : t`of ${gigabytes(device.memoryBytes)}`}
        </span>
      </td>
      <td className="wide-only">
        {device.backend === null ? (
          <span className="muted">{NONE}</span>
        ) : (
          <span className="mono">{device.backend}</span>
        )}
        <span className="sub" title={device.detail.instructionSets.join(', ')}>
          {device.detail.driver ?? integerInstructions(device.detail.instructionSets) ?? device.detail.vendor}
          {device.threads && t`, ${device.threads.inUse} threads`}
        </span>
      </td>
      <td className="c">
        <Switch
          label={t`Use ${device.name}`}
          checked={device.canMine && device.enabled}
          disabled={!device.canMine}
          title={device.canMine || device.reason === undefined ? undefined : messages.text(device.reason)}
          onChange={(enabled) => void configureDevice(device.id, { enabled })}
        />
      </td>
    </tr>
  )
}

interface CellProps {
  value: string | null
  /** what is said instead of the qualifier where there is no value */
  missing?: string
  children: React.ReactNode
}

function Cell({ value, missing = '\u00a0', children }: CellProps) {
  return (
    <td className="r">
      {value === null ? <span className="muted">{NONE}</span> : value}
      <span className="sub">{value === null ? missing : children}</span>
    </td>
  )
}

/** The set that multiplies small integers, which is what the proof is made of; else the newest one. */
function integerInstructions(sets: readonly string[]): string | undefined {
  return (
    sets.find((name) => /512 VNNI/.test(name)) ?? sets.find((name) => /VNNI|i8mm|dotprod/i.test(name)) ?? sets.at(-1)
  )
}
