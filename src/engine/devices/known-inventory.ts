/**
 * What the machine had when it was last looked at. A look takes a third of a second or more: the start goes by the last
 * one and looks again in the background, so that a window opens at once.
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

/** The last look, or null before the first and when another computer's folder was brought here. */
export function knownInventory(ledger: Ledger, logicalCores: number): SensorInventory | null {
  const known = ledger.setting(KEY, inventorySchema)
  return known !== null && known.cpu.logicalCores === logicalCores ? known : null
}

/** A stopgap, when the sensors did not answer, has no maker and is not remembered. */
export function rememberInventory(ledger: Ledger, inventory: SensorInventory): void {
  if (inventory.cpu.vendor !== '') ledger.saveSetting(KEY, inventory)
}
