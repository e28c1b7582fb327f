/** The engine's state in one value, for the header of every screen and `lode status`. */
import type { EngineStatus } from '#shared/contract/engine'
import type { EngineContext } from './context'
import { localMidnight } from './local-days'
import { whyNoJobs } from './no-jobs'

export function engineStatus(context: Omit<EngineContext, 'status'>): EngineStatus {
  const { level, pace } = context.throttle
  const { mining, networkState, network, clock } = context
  const known = networkState.known ? networkState.current : null
  const epoch =
    known === null ? null : { number: known.epoch.number, startsAt: known.epoch.startsAt, endsAt: known.epoch.endsAt }
  const totals = context.ledger.creditTotals({
    ...(epoch === null ? {} : { epoch: { network: network.name, number: epoch.number } }),
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
    network: { name: network.name, hasMarketValue: false, epoch },
    rig: { name: context.settings.current.rigName, key: context.signer.publicKeyHex },
    dataDir: context.dataDir,
    creditMacs: { epoch: totals.epoch.toString(), today: totals.today.toString(), total: totals.total.toString() },
    credits: totals.credits,
    devices: context.devices.list().map(({ id, kind, name, state, activity, macsPerSecond }) => ({
      id,
      kind,
      name,
      state,
      activity,
      macsPerSecond,
    })),
    noJobs: whyNoJobs({
      runners: context.devices.runners(),
      kinds: context.readyKinds(),
      samples: context.settings.current.samples,
    }),
    throttle: { level, threadsShare: pace.threadsShare, dutyCycle: pace.dutyCycle },
    notices: [...mining.notices(), ...context.openingNotices],
  }
}
