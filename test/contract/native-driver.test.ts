/** The CPU driver through its C interface: `npm run test:native`, a part at a time. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { root } from '../support/lode'

/** What the script ends with when a part lacks its tools. */
const SKIPPED = 77

it.for(['sanitizers', 'x86-64', 'arm64'])('holds its vectors: %s', { tags: ['long'] }, async (part, context) => {
  const { code, output } = await testNative(part)
  if (code === SKIPPED) context.skip(output.trim())
  if (code !== 0) console.error(output)
  expect(code).toBe(0)
})

function testNative(part: string): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const script = join(root, 'scripts/test-native.mjs')
    const child = spawn(process.execPath, [script, '--part', part], { stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    const add = (text: Buffer): void => void (output += text.toString())
    child.stdout.on('data', add)
    child.stderr.on('data', add)
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, output }))
  })
}
