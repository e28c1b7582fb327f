import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'

/** Builds what the tests start as processes: what users run is what is tested. Quick when nothing changed. */
export default function setup(): void {
  execFileSync(process.execPath, [resolve(import.meta.dirname, '../../scripts/build.mjs')], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  // the drivers that are broken on purpose, where there is a compiler
  const native = resolve(import.meta.dirname, '../../out/native/build')
  if (existsSync(native))
    execFileSync('cmake', ['--build', native, '--target', 'broken', '--parallel', '2'], { stdio: 'ignore' })
}
