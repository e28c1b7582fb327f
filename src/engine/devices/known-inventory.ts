/**
 * The inventory of the machine, as it was read last. Reading it takes a third of a second or more, so the start uses the
 * stored inventory and reads a new one in the background: a window opens at once.
 */
import { z } from 'zod'
import type { SensorInventory } from '#shared/ipc/sensors'
import type { Ledger } from '../ledger'

const KEY = 'inventory'

const inventorySchema: z.ZodType<SensorInventory> = z.object({
  cpu: z.object({
    name: z.string(),
    vendor: z.string(),
    physicalCores: z.number().int().min(1),
    logicalCores: z.number().int().min(1),
    instructionSets: z.array(z.string()),
    virtualMachine: z.boolean().exactOptional(),
  }),
  memoryBytes: z.number().nonnegative(),
  gpus: z.array(
    z.object({
      id: z.string(),
      name: z.string(),
      vendor: z.string(),
      memoryBytes: z.number().exactOptional(),
      driver: z.string().exactOptional(),
      shared: z.boolean(),
    }),
  ),
  raplReadable: z.boolean(),
  battery: z.boolean(),
})

/** The stored inventory; null before the first one, and when the data folder comes from another computer. */
export function knownInventory(ledger: Ledger, logicalCores: number): SensorInventory | null {
  const known = ledger.setting(KEY, inventorySchema)
  return known !== null && known.cpu.logicalCores === logicalCores ? known : null
}

/** Stores an inventory. The substitute for sensors that did not answer, which names no maker, is not stored. */
export function rememberInventory(ledger: Ledger, inventory: SensorInventory): void {
  if (inventory.cpu.vendor !== '') ledger.saveSetting(KEY, inventory)
}
