import type { CommandContext } from '../command-context'
import { withSession } from '../session'

/** `lode address set ADDRESS --confirm LAST6` */
export async function addressSet(
  { output, dataDir }: CommandContext,
  options: { confirm: string },
  address: string,
): Promise<void> {
  await withSession(dataDir, async ({ client }) => {
    const payout = await client.call('address.set', { address, confirm: options.confirm })
    output.answer(payout, `Payout address (${payout.type}): ${payout.address}`)
  })
}

/** `lode address show` */
export async function addressShow({ output, dataDir }: CommandContext): Promise<void> {
  await withSession(dataDir, async ({ client }) => {
    const payout = await client.call('address.show', null)
    output.answer(
      payout,
      payout === null ? 'No payout address is set.' : `${payout.address} (${payout.type}), since ${payout.effectiveAt}`,
    )
  })
}
