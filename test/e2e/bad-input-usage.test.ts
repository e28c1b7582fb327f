/** Wrong options, unknown commands, letters for numbers: exit 2 and one line that says what is right, before anything starts. */
import { readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { lode, temporaryFolder } from '../support/lode'

const dataDir = temporaryFolder()
const hex = '0'.repeat(64)
const digest = (changes: Record<string, string>): string[] => [
  'proof',
  'digest',
  ...Object.entries({ tier: 'itp1-test', epoch: hex, 'public-key': hex, nonce: '0', ...changes }).flatMap(
    ([name, value]) => [`--${name}`, value],
  ),
]

/** What was typed, and what the line must say: what is wrong, and what is right. */
const table: [typed: string[], says: RegExp][] = [
  [[], /a command is missing.*mine.*status/],
  [['explode'], /unknown command 'explode'.*Commands:.*mine/],
  [['min'], /unknown command 'min'/],
  [['models'], /a command is missing.*models add/],
  [['models', 'explode'], /'explode'.*models add/],
  [['ledger', 'explode'], /'explode'.*ledger verify/],
  [['status', 'extra'], /too many arguments.*Usage: lode status/],
  [['status', '--loud'], /unknown option '--loud'.*Usage: lode status/],
  [['mine', '--for', 'ten'], /--for.*'ten'.*number of seconds/],
  [['mine', '--for', '-5'], /--for.*number of seconds/],
  [['mine', '--for'], /--for.*argument missing/],
  [['mine', '--max-credits', '1.5'], /--max-credits.*whole number from 1/],
  [['mine', '--max-credits', '0'], /--max-credits.*whole number from 1/],
  [['mine', '--tier', 'itp1-huge'], /--tier.*itp1-small, itp1-base/],
  [['mine', '--backend', 'abacus'], /--backend.*onnx-cpu/],
  [['mine', '--network', 'bitcoin'], /--network.*practice/],
  [['mine', '--threads', 'many'], /--threads.*whole number from 1/],
  [['mine', '--port', '70000'], /--port.*65535/],
  [['mine', '--epoch-seconds', '9'], /--epoch-seconds.*from 10/],
  [['bench', '--seconds', 'x'], /--seconds.*whole number/],
  [['job', 'submit', '--kind', 'chat'], /--input.*Usage: lode job submit/],
  [['job', 'submit', '--input', '-'], /--kind.*Usage: lode job submit/],
  [['job', 'submit', '--kind', 'song', '--input', '-'], /--kind.*chat, embed, ocr/],
  [['job', 'submit', '--kind', 'chat', '--input', '-', '--max-tokens', 'few'], /--max-tokens.*whole number/],
  [['models', 'add'], /missing required argument 'path'.*Usage: lode models add/],
  [['models', 'catalogue', '--context', '0'], /--context.*whole number from 1/],
  [['--data-dir', dataDir, 'models', 'gc'], /--quota.*not specified.*Usage: lode models gc/],
  [['address', 'set', '0x0'], /--confirm.*Usage: lode address set/],
  [['ledger', 'export', '--from', 'yesterday'], /--from.*date such as/],
  [digest({ epoch: 'abc' }), /--epoch.*64 hexadecimal digits/],
  [digest({ 'public-key': `${hex}00` }), /--public-key.*64 hexadecimal digits/],
  [digest({ nonce: '0x1' }), /--nonce.*whole number/],
  [digest({ nonce: (1n << 64n).toString() }), /--nonce.*below 2\^64/],
  [digest({ tier: '' }), /--tier.*itp1-test/],
]

const failure = z.strictObject({
  error: z.strictObject({ code: z.literal('wrong-usage'), message: z.string(), action: z.string().min(1) }),
})

describe.concurrent('exit 2 for', () => {
  test.each(table)('lode %j', async (typed, says) => {
    const plain = await lode(dataDir, typed)
    expect(plain).toMatchObject({ code: 2, stdout: '' })
    expect(plain.stderr).toMatch(says)
    expect(plain.stderr.trimEnd().split('\n')).toHaveLength(1)
  })

  test.each(table.filter((_, row) => row % 5 === 1))('lode %j --json', async (typed, says) => {
    const json = await lode(dataDir, [...typed, '--json'])
    expect(json).toMatchObject({ code: 2, stderr: '' })
    const { message, action } = failure.parse(json.json()).error
    expect(`${message}. ${action}`).toMatch(says)
  })
})

test('wrong usage begins no ledger', () => {
  expect(readdirSync(dataDir)).toEqual([])
})

test.each([
  ['an unknown device', ['--devices', 'gpu99'], { code: 'not-found', action: /cpu0/ }, 1],
  ['more threads than anyone has', ['--threads', '1000'], { code: 'wrong-usage', action: /^Choose 1 to \d+\.$/ }, 2],
])('mine with %s says which there are', async (_what, options, { code, action }, exitCode) => {
  const finished = await lode(dataDir, ['mine', '--json', '--no-dashboard', ...options])
  expect(finished.code).toBe(exitCode)
  const last = z
    .object({ error: z.object({ code: z.string(), message: z.string(), action: z.string() }) })
    .parse(finished.lines().at(-1))
  expect(last.error.code).toBe(code)
  expect(last.error.action).toMatch(action)
})

test('help and version are answers, not mistakes', async () => {
  const help = await lode(dataDir, ['mine', '--help'])
  expect(help).toMatchObject({ code: 0, stderr: '' })
  expect(help.stdout).toContain('--max-credits')
  expect(await lode(dataDir, ['--version'])).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) as string,
  })
})
