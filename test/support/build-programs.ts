import { execFileSync } from 'node:child_process'
import { resolve } from 'node:path'

/** Builds what the tests start as processes: what users run is what is tested. Quick when nothing changed. */
export default function setup(): void {
  execFileSync(process.execPath, [resolve(import.meta.dirname, '../../scripts/build.mjs')], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
}
