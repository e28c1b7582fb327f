/** Every device of this computer: what it does, what it could do, and how it measured. */
import { Trans, useLingui } from '@lingui/react/macro'
import { useState } from 'react'
import { reportFailure } from '../../app/Notices'
import { go, useRoute } from '../../app/route'
import { client } from '../../data/client'
import { useLive, useStaleSince } from '../../data/live'
import { asFailure, useStore } from '../../data/store'
import { joined, scaled, watts } from '../../ui/format'
import { Icon } from '../../ui/icons'
import { Empty, Loading, Panel, Problem } from '../../ui/parts'
import { isRunning } from '../home/figures'
import { Benchmarks } from './Benchmarks'
import { DeviceDetail } from './DeviceDetail'
import { DeviceTable } from './DeviceTable'
import { Drivers } from './Drivers'
import { Levels } from './Levels'

export function Devices() {
  const { t } = useLingui()
  const devices = useStore((state) => state.devices)
  const failure = useStore((state) => state.devicesFailure)
  const status = useStore((state) => state.status)
  const settings = useStore((state) => state.settings)
  const { part } = useRoute()
  const tick = useLive()
  const staleSince = useStaleSince()
  const running = status !== null && isRunning(status)
  const live = running ? tick : null
  const chosen = devices?.find((device) => device.id === part) ?? devices?.[0]
  const total = devices?.length ?? 0
  const used = devices?.filter((device) => device.canMine && device.enabled).length ?? 0
  const rate = live?.devices.reduce((sum, device) => sum + (device.macsPerSecond ?? 0), 0) ?? 0
  const sums = [t`${used} of ${total} in use`]
  if (rate > 0) sums.push(joined(scaled(rate, 'MAC/s'), ' '))
  if (live?.watts != null)
    sums.push(
      live.wattsCertainty === 'measured'
        ? t`${watts(live.watts)} W`
        : t`${watts(live.watts)} W, ${live.wattsCertainty === 'mixed' ? t`partly measured` : t`estimated`}`,
    )

  return (
    <>
      <div className="title">
        <h1>
          <Trans>Devices</Trans>
        </h1>
        {devices && <span className="muted cut">{sums.join(', ')}</span>}
        <span className="grow" />
        <LookButton />
      </div>
      <Panel title={t`This computer`}>
        <div className="rule-top">
          {devices === null ? (
            failure ? (
              <Problem failure={failure} onRetry={() => window.location.reload()} />
            ) : (
              <Loading />
            )
          ) : devices.length === 0 ? (
            <Empty title={t`No device found`}>
              <Trans>Processors and graphics cards appear here. Look for devices again after a change.</Trans>
            </Empty>
          ) : (
            <DeviceTable
              devices={devices}
              live={live}
              stale={running && staleSince !== null}
              chosen={chosen?.id ?? ''}
              onChoose={(id) => go('devices', id)}
            />
          )}
        </div>
      </Panel>
      {chosen && (
        <div className="cols even">
          <DeviceDetail key={chosen.id} device={chosen} />
          <Levels throttle={settings?.throttle} now={status?.throttle} />
        </div>
      )}
      {chosen && <Benchmarks key={`bench ${chosen.id}`} device={chosen} />}
      <Drivers />
    </>
  )
}

function LookButton() {
  const [looking, setLooking] = useState(false)
  const look = (): void => {
    setLooking(true)
    client
      .call('devices.refresh', null)
      .then((devices) => useStore.setState({ devices }))
      .catch((error: unknown) => reportFailure(asFailure(error)))
      .finally(() => setLooking(false))
  }
  return (
    <button type="button" className="btn" disabled={looking} onClick={look}>
      <Icon name="refresh" />
      {looking ? <Trans>Looking for devices</Trans> : <Trans>Look for devices</Trans>}
    </button>
  )
}
