/** The engine's state in one value, for the header of every screen and `lode status`. */
import type { Device } from '#shared/contract/devices'
import type { EngineStatus, Notice } from '#shared/contract/engine'
import { message } from '#shared/domain/messages'
import type { EngineContext } from './context'
import { localMidnight } from './base'
import { whyNoJobs } from './jobs'

export function engineStatus(context: EngineContext): EngineStatus {
  const { level, pace } = context.throttle
  const { mining, networkState, networkName, clock } = context
  const known = networkState.known ? networkState.current : null
  const epoch =
    known === null ? null : { number: known.epoch.number, startsAt: known.epoch.startsAt, endsAt: known.epoch.endsAt }
  const devices = context.devices.list()
  const totals = context.ledger.creditTotals({
    ...(epoch === null ? {} : { epoch: { network: networkName, number: epoch.number } }),
    dayStart: localMidnight(clock.now()),
  })
  return {
    version: context.version,
    pid: process.pid,
    state: mining.state,
    pausedBecause: mining.pausedBecause,
    since: mining.since,
    stopsAt: mining.stopsAt,
    finishingJobs: mining.finishingJobs,
    network: { name: networkName, hasMarketValue: false, epoch },
    rig: { name: context.settings.current.rigName, key: context.signer.publicKeyHex },
    dataDir: context.dataDir,
    creditMacs: {
      epoch: totals.epoch.toString(),
      today: totals.today.toString(),
      total: totals.total.toString(),
      held: totals.held.toString(),
    },
    credits: totals.credits,
    devices: devices.map(({ id, kind, name, state, activity, macsPerSecond }) => ({
      id,
      kind,
      name,
      state,
      activity,
      macsPerSecond,
    })),
    noJobs: whyNoJobs({
      runners: context.devices.runners(),
      kinds: context.usable.kinds(),
      samples: context.settings.current.samples,
    }),
    throttle: { level, threadsShare: pace.threadsShare, dutyCycle: pace.dutyCycle },
    notices: [...mining.notices(), ...quarantineNotices(devices), ...context.openingNotices],
  }
}

function quarantineNotices(devices: readonly Device[]): Notice[] {
  return devices
    .filter(({ quarantined }) => quarantined)
    .map(({ id, name, reason }) => ({
      id: `quarantined-${id}`,
      severity: 'error',
      title: message('notice-device-quarantined', { device: name }),
      detail: reason ?? null,
      action: 'retry-device',
      deviceId: id,
    }))
}
