import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { listFolder, readNumber, readText, within } from './read'

const folder = mkdtempSync(join(tmpdir(), 'lode-read-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}

describe('reading', () => {
  it('gives the value, and nothing for a failure or for what never comes', async () => {
    expect(await within(Promise.resolve(7), 1000)).toBe(7)
    expect(await within(Promise.reject(new Error('broken')), 1000)).toBeUndefined()
    expect(await within(new Promise(() => undefined), 20)).toBeUndefined()
  })

  it('takes an empty, missing or wordy file for no number, never for 0', async () => {
    expect(await readNumber(file('power', '23000000\n'))).toBe(23000000)
    expect(await readNumber(file('zero', '0\n'))).toBe(0)
    expect(await readNumber(file('empty', ''))).toBeUndefined()
    expect(await readNumber(file('words', 'N/A\n'))).toBeUndefined()
    expect(await readNumber(join(folder, 'missing'))).toBeUndefined()
    expect(await readText(folder)).toBeUndefined()
  })

  it('lists in natural order', async () => {
    const names = await listFolder(folder)
    expect(names).toEqual(['empty', 'power', 'words', 'zero'])
    for (const name of ['hwmon10', 'hwmon9', 'hwmon0']) file(name, '')
    expect((await listFolder(folder)).filter((name) => name.startsWith('hwmon'))).toEqual([
      'hwmon0',
      'hwmon9',
      'hwmon10',
    ])
    expect(await listFolder(join(folder, 'missing'))).toEqual([])
  })
})
