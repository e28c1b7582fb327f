/** The sensors process: slow system calls live here, so that neither engine nor workers wait for them. */
import { connectParent } from '#process/parent'
import { serve } from '#process/peer'
import type { SensorMethods } from '#shared/ipc/sensors'
import { createSensors } from './sensors'
import { realSystem } from './system'

const sensors = createSensors(realSystem())
serve<SensorMethods>(await connectParent(), {
  'sensors.inventory': () => sensors.inventory(),
  'sensors.read': () => sensors.read(),
})
