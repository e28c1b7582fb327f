/** The desktop app's start: where its programs, page and preload script lie in the build. */
import { join } from 'node:path'
import { readOptions } from './options'
import { createShell } from './shell'

const built = join(__dirname, '..')

createShell({
  ...readOptions(process.argv, process.env, process.cwd()),
  programs: {
    engine: join(built, 'node', 'engine-process.js'),
    worker: join(built, 'node', 'worker.js'),
    sensors: join(built, 'node', 'sensors.js'),
  },
  pageFolder: join(built, 'renderer'),
  preload: join(built, 'preload', 'index.cjs'),
})
