import { resolve } from 'node:path'
import { createInterface, type Interface } from 'node:readline/promises'
import type { DriverRow } from '#shared/contract/drivers'
import type { DriverManifest } from '#shared/domain/driver'
import { Failure } from '#shared/domain/errors'
import { inEnglish, message } from '#shared/domain/messages'
import type { CommandContext } from '../command-context'
import { withSession } from '../session'

const lines = (driver: DriverRow): string[] => [
  `${driver.name}  ${driver.version}, ${driver.vendor}, ${driver.licence}: ${driver.state}`,
  ...(driver.reason === undefined ? [] : [`  ${inEnglish.text(driver.reason)}`]),
  ...driver.devices.map((device) => `  ${device.id}  ${device.kind}, ${device.name}`),
]

/** As `--json` has it: the reason is English. */
const inWords = ({ reason, ...driver }: DriverRow) => ({
  ...driver,
  ...(reason === undefined ? {} : { reason: inEnglish.text(reason) }),
})

/** `lode drivers list` */
export async function driversList({ output, dataDir }: CommandContext): Promise<void> {
  await withSession(dataDir, async ({ client }) => {
    const drivers = await client.call('drivers.list', null)
    output.answer(drivers.map(inWords), drivers.length === 0 ? 'No drivers.' : drivers.flatMap(lines))
  })
}

/** `lode drivers add PATH` */
export async function driversAdd(
  { output, dataDir }: CommandContext,
  options: { yes?: boolean },
  operand: string,
): Promise<void> {
  const path = resolve(operand)
  await withSession(dataDir, async ({ client }) => {
    const manifest = await client.call('drivers.inspect', { path })
    if (options.yes !== true) await approve(manifest)
    const driver = await client.call('drivers.add', { path, sha256: manifest.sha256 })
    output.answer(inWords(driver), lines(driver))
  })
}

/** `lode drivers remove NAME` */
export async function driversRemove(
  { output, dataDir }: CommandContext,
  _options: unknown,
  name: string,
): Promise<void> {
  await withSession(dataDir, async ({ client }) => {
    await client.call('drivers.remove', { name })
    output.answer({ removed: name }, `Removed ${name}.`)
  })
}

/** `lode drivers retry NAME` */
export async function driversRetry(
  { output, dataDir }: CommandContext,
  _options: unknown,
  name: string,
): Promise<void> {
  await withSession(dataDir, async ({ client }) => {
    const driver = await client.call('drivers.retry', { name })
    output.answer(inWords(driver), lines(driver))
  })
}

/** Shows the driver's manifest on standard error and asks once. Throws Failure `cancelled` unless the answer is yes, `wrong-usage` without a terminal. */
async function approve(manifest: DriverManifest): Promise<void> {
  if (!process.stdin.isTTY) {
    throw new Failure('wrong-usage', message('driver-needs-approval'))
  }
  const { name, version, vendor, licence, sha256 } = manifest
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    process.stderr.write(
      `${name} ${version}\n  vendor   ${vendor}\n  licence  ${licence}\n  SHA-256  ${sha256}\n` +
        'A driver is a program of its maker. It runs with your rights, in processes of its own.\n',
    )
    const answer = await ask(terminal, 'Add it? [y/N] ')
    if (!/^y(es)?$/i.test(answer.trim())) throw new Failure('cancelled', message('driver-not-approved-by-person'))
  } finally {
    terminal.close()
  }
}

/** The person's answer; empty when the input ends, the terminal is closed, or Ctrl-C is pressed. */
async function ask(terminal: Interface, question: string): Promise<string> {
  const closed = new Promise<string>((resolve) => terminal.once('close', () => resolve('')))
  const refused = (): string => {
    process.stderr.write('\n')
    return ''
  }
  return Promise.race([terminal.question(question).catch(refused), closed])
}
