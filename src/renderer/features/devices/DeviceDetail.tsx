import { Trans, useLingui } from '@lingui/react/macro'
import { useEffect, useState } from 'react'
import type { Device } from '#shared/contract/devices'
import { bytes, count } from '../../ui/format'
import { Icon } from '../../ui/icons'
import { Mark, Panel, Setting, Switch } from '../../ui/parts'
import { configureDevice, retryDevice } from './configure'

/** One device: why it cannot mine or was stopped, its use and threads, and what it is. */
export function DeviceDetail({ device }: { device: Device }) {
  const { t } = useLingui()
  const faulted = device.state === 'faulted'
  return (
    <Panel title={device.name}>
      <div className="rule-top">
        {device.reason !== undefined && (
          <div className="set">
            <div className="row">
              <Mark small state={faulted ? 'error' : device.canMine ? 'warning' : 'idle'} />
              <span>{device.reason}</span>
            </div>
            {faulted && (
              <button type="button" className="btn sm" onClick={() => retryDevice(device.id)}>
                <Trans>Retry</Trans>
              </button>
            )}
          </div>
        )}
        {device.canMine && (
          <Setting
            name={<Trans>Use for mining</Trans>}
            help={<Trans>Off: its worker ends and its memory is free.</Trans>}
          >
            <Switch
              label={t`Use for mining`}
              checked={device.enabled}
              onChange={(enabled) => void configureDevice(device.id, { enabled })}
            />
          </Setting>
        )}
        {device.threads && <Threads id={device.id} threads={device.threads} />}
        <dl className="kv facts rule-top">
          <dt>
            <Trans>Maker</Trans>
          </dt>
          <dd>{device.detail.vendor}</dd>
          {device.detail.cores !== undefined && (
            <>
              <dt>
                <Trans>Cores</Trans>
              </dt>
              <dd>
                {device.detail.logicalCores === undefined || device.detail.logicalCores === device.detail.cores
                  ? count(device.detail.cores)
                  : t`${device.detail.cores}, ${device.detail.logicalCores} threads`}
              </dd>
            </>
          )}
          <dt>
            <Trans>Memory</Trans>
          </dt>
          <dd>{bytes(device.memoryBytes)}</dd>
          {device.detail.driver !== undefined && (
            <>
              <dt>
                <Trans>Driver</Trans>
              </dt>
              <dd title={device.detail.driver}>{device.detail.driver}</dd>
            </>
          )}
          {device.detail.instructionSets.length > 0 && (
            <>
              <dt>
                <Trans>Instruction sets</Trans>
              </dt>
              <dd className="wrap">{device.detail.instructionSets.join(', ')}</dd>
            </>
          )}
          <dt>
            <Trans>Engines</Trans>
          </dt>
          <dd className="mono wrap">{device.engines.length === 0 ? t`none` : device.engines.join(', ')}</dd>
          <dt>
            <Trans>Power from</Trans>
          </dt>
          <dd className="wrap">{device.wattsSource}</dd>
          <dt>
            <Trans>Restarts of its worker</Trans>
          </dt>
          <dd>{count(device.restarts)}</dd>
        </dl>
      </div>
    </Panel>
  )
}

const SETTLE_MILLISECONDS = 500

/** Steps of one; saved a moment after the last step, since each change prepares the worker anew. */
function Threads({ id, threads }: { id: string; threads: NonNullable<Device['threads']> }) {
  const { t } = useLingui()
  // What was stepped to and is not saved yet; null once the engine has it.
  const [stepped, setStepped] = useState<number | null>(null)
  useEffect(() => {
    if (stepped === null) return
    const timer = setTimeout(() => {
      void configureDevice(id, { threads: stepped }).then(() => setStepped((now) => (now === stepped ? null : now)))
    }, SETTLE_MILLISECONDS)
    return () => clearTimeout(timer)
  }, [id, stepped])
  const wanted = stepped ?? threads.inUse
  const set = (value: number): void => setStepped(Math.min(threads.maximum, Math.max(1, value)))
  return (
    <Setting
      name={<label htmlFor={`threads-${id}`}>{t`Threads`}</label>}
      help={t`1 to ${threads.maximum}; ${threads.default} unless you choose. More is faster until the computer has nothing left for you.`}
    >
      <span className="stepper">
        <button
          type="button"
          className="btn icon"
          aria-label={t`One thread less`}
          disabled={wanted <= 1}
          onClick={() => set(wanted - 1)}
        >
          <Icon name="minus" small />
        </button>
        <input
          id={`threads-${id}`}
          className="num"
          type="number"
          min={1}
          max={threads.maximum}
          value={wanted}
          onChange={(event) => set(Number.parseInt(event.target.value, 10) || 1)}
        />
        <button
          type="button"
          className="btn icon"
          aria-label={t`One thread more`}
          disabled={wanted >= threads.maximum}
          onClick={() => set(wanted + 1)}
        >
          <Icon name="plus" small />
        </button>
      </span>
    </Setting>
  )
}
