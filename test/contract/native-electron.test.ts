/** The addon in a real Electron: the same file that Node.js loads, bytes copied both ways. */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { bytesToHex } from '#shared/domain/bytes'
import { header } from '#shared/domain/share'
import { TIERS } from '#shared/domain/tiers'
import { electronBinary } from '../e2e/shell-harness'
import { readVectors } from '../support/itp1-vectors'
import { root } from '../support/lode'

const native = join(root, 'out/native')
const binary = electronBinary()
const addon = join(native, 'lode_native.node')
const missing =
  binary === undefined ? 'Electron is not here' : existsSync(addon) ? null : 'the native addon was not built'
if (missing !== null) console.log(`the addon in Electron: ${missing}, its tests are skipped`)

describe.skipIf(missing !== null)('the native addon in Electron', () => {
  it.each([
    ['the processor', null],
    ['a driver of whole nonces', join(native, 'drivers/template/template.driver')],
    ['a driver of products', join(native, 'drivers/products/products.driver')],
  ])('gives the golden digest with %s', (_what, library) => {
    const { epoch, publicKey, nonce, digest } = readVectors().cases.find(({ tier }) => tier === 'itp1-test')!
    const { width, layers, tokens } = TIERS['itp1-test']
    const question = {
      library,
      width,
      layers,
      tokens,
      epochSeed: epoch,
      nonce,
      header: bytesToHex(header(epoch, publicKey)),
    }
    const script = join(root, 'test/fixtures/native-in-electron.cjs')
    const answer = execFileSync(binary ?? '', [script, addon, JSON.stringify(question)], {
      encoding: 'utf8',
      env: { ...process.env, ELECTRON_RUN_AS_NODE: '1' },
    })
    expect(JSON.parse(answer)).toEqual({ electron: expect.stringMatching(/^\d+\./) as string, digest })
  })
})
