/** Whether there is a battery, and whether the computer runs on it. */
import { join } from 'node:path'
import { listFolder, readText, within } from './read'
import type { SensorSystem } from './system'

export interface BatteryState {
  present: boolean
  onBattery: boolean
}

const LIBRARY_DEADLINE_MILLISECONDS = 8000

/** Undefined where the state is unknown. Reads sysfs on Linux (cheap), asks the library elsewhere (starts a command). */
export async function readBattery(system: SensorSystem): Promise<BatteryState | undefined> {
  if (system.platform === 'linux') return fromSysfs(system.sysRoot)
  const asked = system.library().then((library) => library.battery())
  const found = await within(asked, LIBRARY_DEADLINE_MILLISECONDS)
  return found && { present: found.hasBattery, onBattery: found.hasBattery && !found.acConnected }
}

async function fromSysfs(sysRoot: string): Promise<BatteryState> {
  const root = join(sysRoot, 'class/power_supply')
  let present = false
  let discharging = false
  let plugged = false
  for (const name of await listFolder(root)) {
    const folder = join(root, name)
    const type = await readText(join(folder, 'type'))
    if (type === 'Battery') {
      // The battery of a mouse, a pen or a headset has the scope "Device".
      if ((await readText(join(folder, 'scope'))) === 'Device') continue
      present = true
      if ((await readText(join(folder, 'status'))) === 'Discharging') discharging = true
    } else if (type === 'Mains' || type === 'USB') {
      if ((await readText(join(folder, 'online'))) === '1') plugged = true
    }
  }
  return { present, onBattery: present && discharging && !plugged }
}
