import { readFile, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { z } from 'zod'
import { checkConformance } from '#engine/drivers/index'
import { Failure } from '#shared/domain/errors'
import { message } from '#shared/domain/messages'
import { createNodeProcessHost } from '#process/node-host'
import type { CommandContext } from '../command-context'
import { rateText } from '../figures'
import { EXIT_DONE, EXIT_FAILED } from '../output'
import { programFolder } from '#host/paths'

/** `lode drivers check PATH`: the conformance kit, in processes of its own; needs neither engine nor approval. */
export async function driversCheck(
  { output }: CommandContext,
  options: { seconds?: number; timeLimit?: number },
  path: string,
): Promise<number> {
  const report = await checkConformance({
    host: createNodeProcessHost(programFolder),
    library: await libraryOf(resolve(path)),
    ...(options.seconds === undefined ? {} : { seconds: options.seconds }),
    ...(options.timeLimit === undefined ? {} : { limitMilliseconds: options.timeLimit * 1000 }),
    onResult: ({ id, ok, detail }) => {
      if (!output.json) output.say(`${ok ? 'ok    ' : 'FAILED'} ${id}: ${detail}`)
    },
  })
  const { checks, macsPerSecond } = report
  const failures = checks.filter((check) => !check.ok).length
  const speed = macsPerSecond === null ? '' : ` ${rateText(macsPerSecond)}.`
  output.answer(
    report,
    report.ok
      ? `Lode can use this driver: all ${checks.length} checks passed.${speed}`
      : `Lode cannot use this driver: ${failures} of ${checks.length} checks failed.`,
  )
  return report.ok ? EXIT_DONE : EXIT_FAILED
}

const manifest = z.object({ file: z.string().regex(/^[\w.@+-]+$/) })

/** The library itself, or the one that a folder's driver.json names. */
async function libraryOf(path: string): Promise<string> {
  const found = await stat(path).catch(() => null)
  if (found === null) throw new Failure('not-found', message('drivers-check-nothing-there', { path }))
  if (found.isFile()) return path
  const text = await readFile(join(path, 'driver.json'), 'utf8').catch(() => null)
  if (text === null) throw new Failure('not-found', message('drivers-check-no-manifest', { path }))
  try {
    return join(path, manifest.parse(JSON.parse(text)).file)
  } catch {
    throw new Failure('invalid-input', message('drivers-check-no-file'))
  }
}
