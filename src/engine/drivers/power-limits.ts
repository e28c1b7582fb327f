/**
 * Power limits of drivers' devices. The limit that the person wants is set only while the device mines. The device's former
 * limit is stored first; it is restored when mining stops, at the next start after a crash, and before the driver is removed.
 */
import { z } from 'zod'
import type { PowerLimit } from '#shared/contract/devices'
import type { NativePowerLimit } from '#shared/domain/driver'
import { Failure } from '#shared/domain/errors'
import { message } from '#shared/domain/messages'
import { settledWithin, type Log } from '../base'
import type { Ledger } from '../ledger'
import type { DriverChannel } from '../workers'

export interface PowerLimits {
  /** null: the device has no power limit, or was not asked yet */
  of(deviceId: string): PowerLimit | null
  /** Throws a Failure that names the range. */
  check(deviceId: string, watts: number): void
  /** Mining begins, or the worker was started again: sets the limit that the person wants. Never rejects. */
  begin(deviceId: string): Promise<void>
  /** Mining ends: restores the former limit, within a second or in the background. Never rejects. */
  end(deviceId: string): Promise<void>
  /** Takes the limit that was read from the device. */
  saw(deviceId: string, limit: NativePowerLimit | null): void
  /** The limit that a former run could not restore, in watts; null: there is none. */
  leftOver(deviceId: string): number | null
  /** Restores a limit that is left over, without a worker. Resolves to whether nothing is left over. */
  restore(deviceId: string): Promise<boolean>
  /** A trial of the device has restored the limit that was left over. */
  restored(deviceId: string): void
  /** The driver is removed: forgets the device. */
  forget(deviceId: string): void
  /** Settles when nothing is under way. */
  settled(): Promise<void>
}

export interface PowerLimitsOptions {
  ledger: Ledger
  log: Log
  /** the limit that the person wants, in watts; undefined: Lode leaves the device as it is */
  wishedWatts: (deviceId: string) => number | undefined
  /** Asks the device's running worker. Rejects where none runs. */
  ask: DriverChannel['ask']
  /** Sets a limit in a process that is thrown away. */
  setElsewhere: (deviceId: string, watts: number) => Promise<NativePowerLimit | null>
  onChange: () => void
}

const SETTING = 'power-limits-found'
const remembered = z.record(z.string(), z.number().positive())
/** How long `end` waits for the worker to restore a limit; after that another process restores it. */
const PATIENCE_MILLISECONDS = 700
/** Devices round a limit to their own steps: a smaller difference is none. */
const TOLERANCE_WATTS = 1

export function createPowerLimits(options: PowerLimitsOptions): PowerLimits {
  const { ledger, log, ask } = options
  /** by device: the limit in watts that it had before Lode changed it */
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
    // the ledger is written first: a limit that could not be stored is not changed on the device
    ledger.saveSetting(SETTING, watts === null ? others : { ...others, [deviceId]: watts })
    if (watts === null) delete found[deviceId]
    else found[deviceId] = watts
  }
  const complain = (deviceId: string, message: string, error: unknown): void => {
    const reason = error instanceof Error ? error.message : String(error)
    log.warn(message, { device: deviceId, reason })
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
    // stored first, then changed: after a crash in between, the next start restores a limit that the device still has
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
        throw new Failure('invalid-input', message('device-no-power-limit', { device: deviceId }))
      }
      const { minimumWatts, maximumWatts } = limit
      if (watts >= minimumWatts && watts <= maximumWatts) return
      throw new Failure(
        'invalid-input',
        message('power-limit-out-of-range', {
          device: deviceId,
          minimum: minimumWatts,
          maximum: maximumWatts,
          wanted: watts,
        }),
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
          // The worker was ended or hung: another process restores the limit.
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
