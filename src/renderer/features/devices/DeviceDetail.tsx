import { Trans, useLingui } from '@lingui/react/macro'
import { Fragment } from 'react'
import type { Device } from '#shared/contract/devices'
import { bytes, count } from '../../ui/format'
import { Mark, Panel } from '../../ui/parts'
import { retryDevice } from './configure'
import { DeviceSettings } from './DeviceSettings'
import { useMessages } from '../../ui/messages'

/** One device: why it cannot mine or was stopped, what the person decides about it, and what it is. */
export function DeviceDetail({ device }: { device: Device }) {
  const { t } = useLingui()
  return (
    <Panel title={device.name} note={device.quarantined ? <span className="tag">{t`quarantined`}</span> : undefined}>
      <div className="rule-top">
        <Reason device={device} />
        {device.canMine && <DeviceSettings device={device} />}
        <dl className="kv facts rule-top">
          {useFacts(device).map(([name, value, className]) => (
            <Fragment key={name}>
              <dt>{name}</dt>
              <dd className={className} title={value}>
                {value}
              </dd>
            </Fragment>
          ))}
        </dl>
      </div>
    </Panel>
  )
}

function Reason({ device }: { device: Device }) {
  const messages = useMessages()
  const { reason, quarantined, state, canMine } = device
  if (reason === undefined) return null
  const canRetry = quarantined || state === 'faulted'
  return (
    <div className="set">
      <div className="row reason">
        <Mark small state={canRetry ? 'error' : canMine ? 'warning' : 'idle'} />
        <span>
          {messages.text(reason)}
          {quarantined && (
            <span className="sub">
              <Trans>It does not mine until you try it again; the other devices go on.</Trans>
            </span>
          )}
        </span>
      </div>
      {canRetry && (
        <button type="button" className="btn sm" onClick={() => retryDevice(device.id)}>
          <Trans>Retry</Trans>
        </button>
      )}
    </div>
  )
}

type Fact = readonly [name: string, value: string, className?: string]

function useFacts(device: Device): readonly Fact[] {
  const { t } = useLingui()
  const { vendor, cores, logicalCores, instructionSets, driver, backendUses } = device.detail
  const facts: Fact[] = [[t`Maker`, vendor]]
  if (cores !== undefined)
    facts.push([
      t`Cores`,
      logicalCores === undefined || logicalCores === cores ? count(cores) : t`${cores}, ${logicalCores} threads`,
    ])
  if (device.memoryBytes > 0) facts.push([t`Memory`, bytes(device.memoryBytes)])
  if (device.loadedModels.length > 0)
    facts.push([
      t`Models in memory`,
      device.loadedModels.map((model) => `${model.name}, ${bytes(model.bytes)}`).join('; '),
      'wrap',
    ])
  if (driver !== undefined) facts.push([t`Driver`, driver, 'wrap'])
  if (instructionSets.length > 0)
    facts.push([device.kind === 'cpu' ? t`Instruction sets` : t`Computes with`, instructionSets.join(', '), 'wrap'])
  facts.push([t`Backends`, device.backends.length === 0 ? t`none` : device.backends.join(', '), 'mono wrap'])
  if (backendUses !== undefined) facts.push([t`The backend uses`, backendUses, 'wrap'])
  facts.push(
    [t`Power from`, device.wattsSource, 'wrap'],
    [
      t`Energy from`,
      device.energyFrom === 'counter'
        ? t`its own counter, measured`
        : device.energyFrom === null
          ? t`not available`
          : device.wattsCertainty === 'measured'
            ? t`its power over time, measured`
            : t`its power over time, estimated`,
      'wrap',
    ],
    [t`Restarts of its worker`, count(device.restarts)],
  )
  return facts
}
