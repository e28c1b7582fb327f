import type { PowerLimit } from '#shared/contract/devices'
import { Failure } from '#shared/domain/errors'
import type { ProofEngine } from '#shared/domain/worker-protocol'
import type { TierName } from '#shared/domain/tiers'
import type { CommandContext } from '../lode'
import { withSession } from '../session'

export interface DevicesOptions {
  device?: string
  /** watts; off: as the device has it */
  powerLimit?: number | 'off'
}

/** `lode devices`: shows them; with `--power-limit` sets that of one. */
export async function devices({ output, dataDir }: CommandContext, options: DevicesOptions): Promise<void> {
  const { device: id, powerLimit: wanted } = options
  if ((id === undefined) !== (wanted === undefined))
    throw new Failure(
      'wrong-usage',
      '--device and --power-limit belong together',
      'Say which device and how many watts.',
    )
  await withSession(dataDir, async ({ client }) => {
    if (id !== undefined && wanted !== undefined)
      await client.call('devices.configure', { id, powerLimitWatts: wanted === 'off' ? null : wanted })
    const found = await client.call('devices.list', null)
    output.answer(
      found.map(({ id, kind, name, engines, memoryBytes, canMine, reason, powerLimit }) => ({
        id,
        kind,
        name,
        engines,
        memoryBytes,
        canMine,
        ...(reason === undefined ? {} : { reason }),
        ...(powerLimit === null ? {} : { powerLimit }),
      })),
      found.flatMap((device) => [
        `${device.id}  ${device.name}: ${device.canMine ? `can mine with ${device.engines.join(', ')}${device.detail.engineUses ? ` (${device.detail.engineUses})` : ''}` : (device.reason ?? 'cannot mine')}`,
        ...(device.powerLimit === null ? [] : [`  Power limit: ${limitWords(device.powerLimit)}`]),
      ]),
    )
  })
}

function limitWords({ currentWatts, minimumWatts, maximumWatts, wantedWatts }: PowerLimit): string {
  const range = `${currentWatts} W now, from ${minimumWatts} to ${maximumWatts} W`
  return wantedWatts === null ? range : `${range}; ${wantedWatts} W while mining`
}

interface BenchOptions {
  device: string
  engine?: ProofEngine
  tier?: TierName
  seconds?: number
}

/** `lode bench` */
export async function bench({ output, dataDir }: CommandContext, options: BenchOptions): Promise<void> {
  await withSession(dataDir, async ({ client }) => {
    const row = await client.call('devices.benchmark', {
      id: options.device,
      ...(options.engine === undefined ? {} : { engine: options.engine }),
      ...(options.tier === undefined ? {} : { tier: options.tier }),
      ...(options.seconds === undefined ? {} : { seconds: options.seconds }),
    })
    output.answer(
      {
        device: row.deviceId,
        engine: row.engine,
        tier: row.tier,
        noncesPerSecond: row.noncesPerSecond,
        macsPerSecond: row.macsPerSecond,
        ...(row.watts === null ? {} : { watts: row.watts }),
        wattsSource: row.wattsSource,
        ...(row.macsPerJoule === null ? {} : { macsPerJoule: row.macsPerJoule }),
        checksum: row.checksum,
      },
      [
        `${row.deviceId}, ${row.engine}, ${row.tier}: ${(row.macsPerSecond / 1e9).toPrecision(3)} GMAC/s, ${row.noncesPerSecond.toPrecision(3)} nonces/s`,
        row.watts === null ? `Power unknown: ${row.wattsSource}` : `${row.watts.toPrecision(3)} W (${row.wattsSource})`,
        row.checksum === 'ok'
          ? 'Checksum ok: this device computes correctly.'
          : 'Checksum mismatch: this device computes wrong results.',
      ],
    )
  })
}
