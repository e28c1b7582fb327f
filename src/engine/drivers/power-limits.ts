/**
 * Power limits of drivers' devices. What the person wants is set while the device mines and only then. What the device
 * had before is written down first and put back when mining stops, after a crash at the next start, and before its
 * driver goes.
 */
import { z } from 'zod'
import type { PowerLimit } from '#shared/contract/devices'
import type { NativePowerLimit } from '#shared/domain/driver'
import { Failure } from '#shared/domain/errors'
import { settledWithin, type Log } from '../base'
import type { Ledger } from '../ledger'
import type { DriverChannel } from '../workers'

export interface PowerLimits {
  /** null: the device has none, or was not asked yet */
  of(deviceId: string): PowerLimit | null
  /** Throws a Failure that names the range. */
  check(deviceId: string, watts: number): void
  /** It mines from now on, or its worker was started anew: sets what the person wants. Never rejects. */
  begin(deviceId: string): Promise<void>
  /** It mines no more: what it had before is put back, within a second or in the background. Never rejects. */
  end(deviceId: string): Promise<void>
  /** What a look at the device read. */
  saw(deviceId: string, limit: NativePowerLimit | null): void
  /** What must be put back since a former run could not; null: nothing. */
  leftOver(deviceId: string): number | null
  /** Puts back what is left over, without a worker. Resolves to whether nothing is left. */
  restore(deviceId: string): Promise<boolean>
  /** What was left over was put back by a look at the device. */
  restored(deviceId: string): void
  /** Its driver goes: nothing is remembered of it any more. */
  forget(deviceId: string): void
  /** Settles when nothing is under way. */
  settled(): Promise<void>
}

export interface PowerLimitsOptions {
  ledger: Ledger
  log: Log
  /** undefined: the device stays as it is */
  wishedWatts: (deviceId: string) => number | undefined
  /** Asks the device's running worker. Rejects where none runs. */
  ask: DriverChannel['ask']
  /** Sets it in a process that is thrown away. */
  setElsewhere: (deviceId: string, watts: number) => Promise<NativePowerLimit | null>
  onChange: () => void
}

const SETTING = 'power-limits-found'
const remembered = z.record(z.string(), z.number().positive())
/** Stopping waits this long for the worker to put a limit back; then the worker ends, and it is done without. */
const PATIENCE_MILLISECONDS = 700
/** Devices round to steps of their own. */
const TOLERANCE_WATTS = 1

export function createPowerLimits(options: PowerLimitsOptions): PowerLimits {
  const { ledger, log, ask } = options
  /** watts that a device had before Lode changed them */
  const found = { ...ledger.setting(SETTING, remembered) }
  const known = new Map<string, NativePowerLimit>()
  const turns = new Map<string, Promise<unknown>>()

  const inTurn = <T>(deviceId: string, work: () => Promise<T>): Promise<T> => {
    const turn = (turns.get(deviceId) ?? Promise.resolve()).then(work)
    turns.set(
      deviceId,
      turn.catch(() => undefined),
    )
    return turn
  }
  const saw = (deviceId: string, limit: NativePowerLimit | null): void => {
    if (limit === null) known.delete(deviceId)
    else known.set(deviceId, limit)
    options.onChange()
  }
  const writeDown = (deviceId: string, watts: number | null): void => {
    const { [deviceId]: _former, ...others } = found
    // saved before it counts: what the disk did not take is not changed on the device
    ledger.saveSetting(SETTING, watts === null ? others : { ...others, [deviceId]: watts })
    if (watts === null) delete found[deviceId]
    else found[deviceId] = watts
  }
  const complain = (deviceId: string, trouble: string, error: unknown): void => {
    const reason = error instanceof Error ? error.message : String(error)
    log.warn(trouble, { device: deviceId, reason })
  }

  const apply = async (deviceId: string): Promise<void> => {
    const limit = await ask(deviceId, 'driver.powerLimit', null)
    saw(deviceId, limit)
    if (limit === null) return
    const before = found[deviceId]
    const wished = options.wishedWatts(deviceId)
    if (wished === undefined) {
      if (before === undefined) return
      saw(deviceId, await ask(deviceId, 'driver.setPowerLimit', { watts: before }))
      writeDown(deviceId, null)
      return
    }
    // first written down, then changed: a crash in between restores what is there already
    if (before === undefined) writeDown(deviceId, limit.currentWatts)
    const watts = Math.min(limit.maximumWatts, Math.max(limit.minimumWatts, wished))
    const after = await ask(deviceId, 'driver.setPowerLimit', { watts })
    saw(deviceId, after)
    if (after === null || Math.abs(after.currentWatts - watts) > TOLERANCE_WATTS)
      log.warn('the device took another power limit', { device: deviceId, watts, readBack: after?.currentWatts })
  }

  const restoreElsewhere = async (deviceId: string): Promise<boolean> => {
    const watts = found[deviceId]
    if (watts === undefined) return true
    try {
      saw(deviceId, await options.setElsewhere(deviceId, watts))
      writeDown(deviceId, null)
      return true
    } catch (error) {
      complain(deviceId, 'the power limit could not be put back; the next start tries again', error)
      return false
    }
  }

  return {
    of: (deviceId) => {
      const limit = known.get(deviceId)
      if (!limit) return null
      const { standardWatts, ...rest } = limit
      return { ...rest, defaultWatts: standardWatts, wantedWatts: options.wishedWatts(deviceId) ?? null }
    },
    check: (deviceId, watts) => {
      const limit = known.get(deviceId)
      if (!limit) {
        throw new Failure('invalid-input', `${deviceId} has no power limit that Lode can set`, 'Leave it out.')
      }
      const { minimumWatts, maximumWatts } = limit
      if (watts >= minimumWatts && watts <= maximumWatts) return
      throw new Failure(
        'invalid-input',
        `${deviceId} takes a power limit of ${minimumWatts} to ${maximumWatts} W, not ${watts} W`,
        'Choose one in between.',
      )
    },
    begin: (deviceId) =>
      inTurn(deviceId, () => apply(deviceId)).catch((error: unknown) =>
        complain(deviceId, 'the power limit could not be set', error),
      ),
    end: (deviceId) => {
      const done = inTurn(deviceId, async () => {
        const watts = found[deviceId]
        if (watts === undefined) return
        try {
          saw(deviceId, await ask(deviceId, 'driver.setPowerLimit', { watts }))
          writeDown(deviceId, null)
        } catch {
          // Its worker was ended or hung: another process does it.
          await restoreElsewhere(deviceId)
        }
      })
      return settledWithin(done, PATIENCE_MILLISECONDS)
    },
    saw,
    leftOver: (deviceId) => found[deviceId] ?? null,
    restore: (deviceId) => inTurn(deviceId, () => restoreElsewhere(deviceId)),
    restored: (deviceId) => writeDown(deviceId, null),
    forget: (deviceId) => {
      known.delete(deviceId)
      if (found[deviceId] !== undefined) writeDown(deviceId, null)
    },
    settled: async () => {
      await Promise.all(turns.values())
    },
  }
}
