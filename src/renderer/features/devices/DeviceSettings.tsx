/** What the person decides about one device: use, threads, temperature limit, power limit. */
import { Trans, useLingui } from '@lingui/react/macro'
import { useEffect, useState, type ReactNode } from 'react'
import type { Device, PowerLimit } from '#shared/contract/devices'
import { HYSTERESIS_CELSIUS } from '#shared/domain/heat'
import { watts } from '../../ui/format'
import { Icon } from '../../ui/icons'
import { Setting, Switch } from '../../ui/parts'
import { configureDevice, type DeviceChange } from './configure'
import { Slider } from './Slider'

export function DeviceSettings({ device }: { device: Device }) {
  const { t } = useLingui()
  const { id, threads, powerLimit, temperatureLimitCelsius } = device
  return (
    <>
      <Setting name={<Trans>Use for mining</Trans>} help={<Trans>Off: its worker ends and its memory is free.</Trans>}>
        <Switch
          label={t`Use for mining`}
          checked={device.enabled}
          onChange={(enabled) => void configureDevice(id, { enabled })}
        />
      </Setting>
      {threads && (
        <Stepper
          id={id}
          name={t`Threads`}
          help={t`1 to ${threads.maximum}; ${threads.default} unless you choose. More is faster until the computer has nothing left for you.`}
          value={threads.inUse}
          minimum={1}
          maximum={threads.maximum}
          less={t`One thread less`}
          more={t`One thread more`}
          change={(value) => ({ threads: value })}
        />
      )}
      <Stepper
        id={id}
        name={t`Temperature limit, °C`}
        help={
          device.temperatureCelsius === null
            ? t`No sensor found, so this limit has no effect.`
            : t`Pauses at ${temperatureLimitCelsius} °C, resumes below ${temperatureLimitCelsius - HYSTERESIS_CELSIUS} °C.`
        }
        value={temperatureLimitCelsius}
        minimum={40}
        maximum={110}
        less={t`One degree less`}
        more={t`One degree more`}
        change={(value) => ({ temperatureLimitCelsius: value })}
      />
      {powerLimit && <PowerLimitSetting id={id} limit={powerLimit} />}
    </>
  )
}

const SETTLE_MILLISECONDS = 500

/** A value that is saved a moment after its last change: each save may make the worker prepare anew. */
function useSettled(id: string, value: number, change: (value: number) => DeviceChange) {
  // The chosen value that the engine does not have yet; null once the engine has it.
  const [chosen, setChosen] = useState<number | null>(null)
  useEffect(() => {
    if (chosen === null) return
    const timer = setTimeout(() => {
      void configureDevice(id, change(chosen)).then(() => setChosen((now) => (now === chosen ? null : now)))
    }, SETTLE_MILLISECONDS)
    return () => clearTimeout(timer)
    // oxlint-disable-next-line react/exhaustive-deps -- `change` is made anew by every render and always the same
  }, [id, chosen])
  return [chosen ?? value, setChosen] as const
}

interface StepperProps {
  id: string
  name: string
  help: ReactNode
  value: number
  minimum: number
  maximum: number
  less: string
  more: string
  change: (value: number) => DeviceChange
}

/** A number with buttons that change it by one. */
function Stepper({ id, name, help, value, minimum, maximum, less, more, change }: StepperProps) {
  const [shown, setShown] = useSettled(id, value, change)
  const inputId = `${name}-${id}`.replaceAll(/\W+/g, '-')
  const set = (wanted: number): void => setShown(Math.min(maximum, Math.max(minimum, wanted)))
  return (
    <Setting name={<label htmlFor={inputId}>{name}</label>} help={help}>
      <span className="stepper">
        <button
          type="button"
          className="btn icon"
          aria-label={less}
          disabled={shown <= minimum}
          onClick={() => set(shown - 1)}
        >
          <Icon name="minus" small />
        </button>
        <input
          id={inputId}
          className="num"
          type="number"
          min={minimum}
          max={maximum}
          value={shown}
          onChange={(event) => setShown(Number.parseInt(event.target.value, 10) || minimum)}
          onBlur={() => set(shown)}
        />
        <button
          type="button"
          className="btn icon"
          aria-label={more}
          disabled={shown >= maximum}
          onClick={() => set(shown + 1)}
        >
          <Icon name="plus" small />
        </button>
      </span>
    </Setting>
  )
}

function PowerLimitSetting({ id, limit }: { id: string; limit: PowerLimit }) {
  const { t } = useLingui()
  const { minimumWatts, maximumWatts, defaultWatts, currentWatts, wantedWatts } = limit
  const [shown, setShown] = useSettled(id, wantedWatts ?? defaultWatts, (value) => ({ powerLimitWatts: value }))
  return (
    <>
      <Setting
        name={<Trans>Power limit</Trans>}
        help={t`${watts(minimumWatts)} to ${watts(maximumWatts)} W, ${watts(defaultWatts)} W from its maker. The device says ${watts(currentWatts)} W now. Set while it mines and put back after.`}
      >
        <Switch
          label={t`Limit its power`}
          checked={wantedWatts !== null}
          onChange={(on) => void configureDevice(id, { powerLimitWatts: on ? defaultWatts : null })}
        />
      </Setting>
      {wantedWatts !== null && (
        <div className="set one">
          <Slider
            label={t`Power limit in watts`}
            value={shown}
            minimum={minimumWatts}
            maximum={maximumWatts}
            step={1}
            text={t`${watts(shown)} W`}
            onChange={setShown}
          />
        </div>
      )}
    </>
  )
}
