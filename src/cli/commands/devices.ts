import type { CommandContext } from '../lode'
import { withSession } from '../session'

/** `lode devices` */
export async function devices({ output, dataDir }: CommandContext): Promise<void> {
  await withSession(dataDir, async ({ client }) => {
    const found = await client.call('devices.list', null)
    output.answer(
      found.map(({ id, kind, name, engines, memoryBytes, canMine, reason }) => ({
        id,
        kind,
        name,
        engines,
        memoryBytes,
        canMine,
        ...(reason === undefined ? {} : { reason }),
      })),
      found.map(
        (device) =>
          `${device.id}  ${device.name}: ${device.canMine ? `can mine with ${device.engines.join(', ')}${device.detail.engineUses ? ` (${device.detail.engineUses})` : ''}` : (device.reason ?? 'cannot mine')}`,
      ),
    )
  })
}

/** `lode devices retry ID` */
export async function devicesRetry({ output, dataDir }: CommandContext, _options: unknown, id: string): Promise<void> {
  await withSession(dataDir, async ({ client }) => {
    const device = await client.call('devices.retry', { id })
    const { state, canMine, reason } = device
    output.answer(
      { id, state, canMine, ...(reason === undefined ? {} : { reason }) },
      reason === undefined ? `${device.name} is tried again.` : `${device.name}: ${reason}`,
    )
  })
}
