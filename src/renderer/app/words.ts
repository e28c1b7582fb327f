/** The engine's states as sentences: what it does, why, and what comes next. */
import type { MessageDescriptor } from '@lingui/core'
import { msg, plural } from '@lingui/core/macro'
import type { EngineStatus, PauseCause } from '#shared/contract/engine'
import type { ThrottleLevelName } from '#shared/contract/throttle'
import type { DeviceState } from '#shared/domain/states'
import { clock, span } from '../ui/format'
import type { MarkState } from '../ui/parts'
import type { MessageTexts } from '../ui/messages'

/** `t` of `useLingui`, for descriptors. */
export type Translate = (descriptor: MessageDescriptor) => string

export interface StateWords {
  mark: MarkState
  title: string
  detail: string
}

const BUSY: readonly DeviceState[] = ['starting', 'proving', 'working', 'benchmarking', 'restarting']
const CANNOT: readonly DeviceState[] = ['off', 'unable', 'faulted']

/** Devices that work now, or are about to. */
export function busyDevices(status: EngineStatus): number {
  return status.devices.filter((device) => BUSY.includes(device.state)).length
}

export function usableDevices(status: EngineStatus): number {
  return status.devices.filter((device) => !CANNOT.includes(device.state)).length
}

/** "Practice" for the built-in network; others carry their own name. */
export function networkName(status: EngineStatus, t: Translate): string {
  return status.network.name.startsWith('practice') ? t(msg`Practice`) : status.network.name
}

const CAUSES: Record<PauseCause, MessageDescriptor> = {
  manual: msg`stopped by you`,
  network: msg`the network does not answer`,
  'practice-hour': msg`practice's hour is over`,
  'no-device': msg`no device can mine`,
  ledger: msg`the ledger cannot be written`,
  heat: msg`too hot`,
  throttle: msg`the level that holds now (set in Devices)`,
}

/** The headline of a pause, with all its causes. */
function pauseTitle({ pausedBecause, throttle }: EngineStatus, t: Translate): string {
  if (pausedBecause.length === 0) return t(msg`Paused`)
  if (pausedBecause.every((cause) => cause === 'throttle')) return t(LEVEL_PAUSES[throttle.level])
  const causes = pausedBecause.map((cause) => t(CAUSES[cause])).join(', ')
  return t(msg`Paused: ${causes}`)
}

/** A pause by the level alone: when it holds, and where to change it. */
const LEVEL_PAUSES: Record<ThrottleLevelName, MessageDescriptor> = {
  inUse: msg`Paused while you use the computer (set in Devices)`,
  idle: msg`Paused while you are away (set in Devices)`,
  night: msg`Paused at night (set in Devices)`,
}

/** What comes next for a pause: the first cause that a person can act on wins. */
const NEXT: Record<PauseCause, MessageDescriptor> = {
  manual: msg`Start again when you like.`,
  network: msg`Goes on by itself as soon as it answers.`,
  'practice-hour': msg`Practice stops after an hour so that it does not use electricity unnoticed. Keep going, or leave it.`,
  'no-device': msg`Devices says for each one why, and what can be done.`,
  ledger: msg`Nothing is mined that could not be credited. Free some disk space or check the folder.`,
  heat: msg`Goes on by itself once it has cooled down. Devices shows the temperature and the limit.`,
  throttle: msg`Jobs that you run still run. Mining goes on when another level holds, or when you give this one more time under Levels.`,
}
const NEXT_ORDER: readonly PauseCause[] = [
  'ledger',
  'no-device',
  'practice-hour',
  'network',
  'heat',
  'throttle',
  'manual',
]

/** The header's sentence. `now`: UTC ms. */
export function stateWords(status: EngineStatus, now: number, t: Translate, messages: MessageTexts): StateWords {
  const network = status.network.hasMarketValue
    ? t(msg`${networkName(status, t)}.`)
    : t(msg`${networkName(status, t)}, no market value.`)
  const usable = usableDevices(status)
  const busy = busyDevices(status)
  const measured = status.devices.filter((device) => device.state === 'benchmarking').length
  switch (status.state) {
    case 'stopped':
      return {
        mark: 'idle',
        title: t(msg`Not mining`),
        detail:
          measured > 0
            ? t(
                msg`${plural(measured, { one: '# device is being measured.', other: '# devices are being measured.' })} A start ends that and mines at once.`,
              )
            : busy > 0
              ? t(
                  msg`${plural(busy, { one: '# device does', other: '# devices do' })} work that you gave. Nothing else runs until you start.`,
                )
              : usable === 0
                ? t(msg`No device can mine. Devices says why.`)
                : t(
                    msg`${plural(usable, { one: '# device can mine.', other: '# devices can mine.' })} Nothing runs until you start.`,
                  ),
      }
    case 'starting':
      return {
        mark: 'mining',
        title: t(msg`Starting`),
        detail: `${network} ${t(msg`Workers start and prepare this epoch's weights.`)}`,
      }
    case 'mining': {
      const hasFault = status.devices.some((device) => device.state === 'faulted')
      const since =
        status.since === null || status.stopsAt !== null
          ? ''
          : t(msg`Without a stop since ${clock(status.since)} (${span(now - status.since)}).`)
      const until =
        status.stopsAt === null
          ? ''
          : status.since === null
            ? t(msg`Stops by itself at ${clock(status.stopsAt)}.`)
            : t(msg`Since ${clock(status.since)}. Stops by itself at ${clock(status.stopsAt)}.`)
      return {
        mark: hasFault ? 'warning' : 'mining',
        title:
          busy === 0
            ? t(msg`Mining, no device at work yet`)
            : t(msg`${plural(busy, { one: 'Mining on # device', other: 'Mining on # devices' })}`),
        detail: [network, until, since].filter((part) => part !== '').join(' '),
      }
    }
    case 'paused': {
      const next = NEXT_ORDER.find((cause) => status.pausedBecause.includes(cause))
      return {
        mark: 'paused',
        title: pauseTitle(status, t),
        detail: next ? t(NEXT[next]) : '',
      }
    }
    case 'finishing':
      return {
        mark: 'paused',
        title:
          status.finishingJobs === 0
            ? t(msg`Stopping`)
            : t(msg`${plural(status.finishingJobs, { one: 'Finishing # job', other: 'Finishing # jobs' })}`),
        detail: t(msg`Then mining stops. Stop ends it now; an unfinished job goes back to the network.`),
      }
    case 'faulted': {
      const worst = status.notices.find((notice) => notice.severity === 'error')
      return {
        mark: 'error',
        title: worst ? t(msg`Not mining: ${messages.text(worst.title)}`) : t(msg`Not mining: something stopped`),
        detail: worst === undefined || worst.detail === null ? '' : messages.text(worst.detail),
      }
    }
  }
}
