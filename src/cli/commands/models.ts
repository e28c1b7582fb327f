import { resolve } from 'node:path'
import type { CatalogueRow, Download, Fit, ModelRow, ModelView } from '#shared/contract/models'
import { isOutdated } from '#shared/domain/converter'
import { Failure, failureInEnglish } from '#shared/domain/errors'
import { inEnglish, message } from '#shared/domain/messages'
import type { EngineClient } from '../client'
import type { CommandContext } from '../command-context'
import { EXIT_DONE, EXIT_FAILED, type Output } from '../output'
import { withSession } from '../session'
import { byteText as size } from '../figures'
import { createDownloadLines } from './download-lines'

const line = (model: ModelView): string =>
  `${model.id}  ${model.kind}, ${size(model.bytes)}, ${model.licence}: ${model.state}`

/** `lode models list` */
export async function modelsList({ output, dataDir }: CommandContext): Promise<void> {
  await withSession(dataDir, async ({ client }) => {
    const models = await client.call('models.list', null)
    output.answer(
      models.map(printedModel),
      models.length === 0 ? 'No models.' : models.map((model) => `${line(model)}, ${inEnglish.text(model.fit.words)}`),
    )
  })
}

/** `lode models catalogue` */
export async function modelsCatalogue(
  { output, dataDir }: CommandContext,
  options: { context?: number },
): Promise<void> {
  await withSession(dataDir, async ({ client }) => {
    const { models } = await client.call('models.catalogue', { context: options.context ?? null })
    output.answer(models.map(printedRow), models.flatMap(catalogueLines))
  })
}

/** As `--json` has it: messages are English. */
function printedFit(fit: Fit) {
  return { ...fit, words: inEnglish.text(fit.words) }
}
function printedModel(model: ModelRow) {
  return { ...model, fit: printedFit(model.fit) }
}
function printedRow({ fit, download, ...row }: CatalogueRow) {
  const failure = download === null || download.failure === null ? null : failureInEnglish(download.failure)
  return { ...row, fit: printedFit(fit), download: download === null ? null : { ...download, failure } }
}

function catalogueLines(model: CatalogueRow): string[] {
  const marks = [
    ...(model.installed ? ['installed'] : []),
    ...(model.download === null ? [] : [model.download.state]),
    ...(model.recommended ? ['recommended here'] : []),
    ...(model.isDefault && !model.installed ? ['fetched when mining starts'] : []),
  ]
  return [
    `${model.id}  ${model.kind}, ${size(model.bytes)}, ${model.licence.name}${marks.length === 0 ? '' : `: ${marks.join(', ')}`}`,
    `  ${model.description}`,
    `  ${inEnglish.text(model.fit.words)}, at ${model.chosenContext} tokens; hash ${model.hash === 'pinned' ? 'pinned by Lode' : 'from the hub'}; from ${model.sources.join(', else ')}`,
  ]
}

/** `lode models get ID`: fetches it and waits; a signal pauses it, and the next time it goes on. */
export async function modelsGet(
  { output, dataDir }: CommandContext,
  options: { anyway?: boolean },
  id: string,
): Promise<void> {
  const attempt = (): Promise<void> =>
    withSession(dataDir, async ({ client }) => {
      await fetchToEnd(client, output, id, options.anyway === true)
      const model = (await client.call('models.list', null)).find((one) => one.id === id)
      output.answer(model ? printedModel(model) : { id }, model ? `Installed ${line(model)}` : `Installed ${id}.`)
    })
  try {
    await attempt()
  } catch (error) {
    // Another command's engine ended with its own work done: what it fetched is there, or is gone on with.
    const isGone =
      error instanceof Failure && ['engine-went-away', 'download-engine-went-away'].includes(error.words.code)
    if (!isGone) throw error
    await attempt()
  }
}

async function fetchToEnd(client: EngineClient, output: Output, id: string, anyway: boolean): Promise<void> {
  let over: (last: Download) => void = () => undefined
  let gone: (error: Failure) => void = () => undefined
  const ended = new Promise<Download>((onOver, onGone) => {
    over = onOver
    gone = onGone
  })
  client.onClose(() => gone(new Failure('unavailable', message('download-engine-went-away'))))
  const lines = createDownloadLines()
  client.on('models.download', (download) => {
    if (download.id !== id) return
    const text = lines.changed(download)
    // The command reports the reason of a failure when it ends.
    if (text !== null && download.state !== 'failed' && !output.json) output.say(text)
    if (['done', 'failed', 'paused', 'cancelled'].includes(download.state)) over(download)
  })
  const installed = (await client.call('models.list', null)).find((model) => model.id === id)
  if (installed?.state === 'ready' && !isOutdated(installed)) return
  const pause = (): void =>
    void client.call('models.pause', { id }).catch(() => gone(new Failure('cancelled', message('command-cancelled'))))
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, pause)
  try {
    await client.call('models.get', { id, anyway })
    const last = await ended
    if (last.failure !== null) throw Failure.from(last.failure)
    if (last.state === 'paused')
      throw new Failure(
        'cancelled',
        message(last.beginsAnew ? 'download-is-paused-anew' : 'download-is-paused', {
          model: last.name,
          doneBytes: last.bytesDone,
          bytes: last.bytes,
        }),
      )
    if (last.state === 'cancelled')
      throw new Failure('cancelled', message('download-was-cancelled', { model: last.name }))
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, pause)
  }
}

/** `lode models add PATH` */
export async function modelsAdd({ output, dataDir }: CommandContext, _options: unknown, path: string): Promise<void> {
  await withSession(dataDir, async ({ client }) => {
    const model = await client.call('models.add', { path: resolve(path) })
    output.answer(model, `Added ${line(model)}`)
  })
}

/** `lode models remove ID` */
export async function modelsRemove({ output, dataDir }: CommandContext, _options: unknown, id: string): Promise<void> {
  await withSession(dataDir, async ({ client }) => {
    await client.call('models.remove', { id })
    output.answer({ removed: id }, `Removed ${id}.`)
  })
}

/** `lode models gc --quota BYTES` */
export async function modelsGc(
  { output, dataDir }: CommandContext,
  options: { quota: number; dryRun?: boolean },
): Promise<void> {
  await withSession(dataDir, async ({ client }) => {
    const dryRun = options.dryRun === true
    const result = await client.call('models.gc', { quotaBytes: options.quota, dryRun })
    output.answer(result, [
      ...result.removed.map(({ id, bytes }) => `${dryRun ? 'Would remove' : 'Removed'} ${id}, ${size(bytes)}`),
      `${size(result.freedBytes)} ${dryRun ? 'would be freed' : 'freed'}; ${size(result.bytes)} of models ${dryRun ? 'would stay' : 'stay'}.`,
    ])
  })
}

/** `lode models verify` */
export async function modelsVerify({ output, dataDir }: CommandContext): Promise<number> {
  return withSession(dataDir, async ({ client }) => {
    const models = await client.call('models.verify', null)
    output.answer(
      models,
      models.flatMap((model) => [
        line(model),
        ...model.files.map((file) => `  ${file.ok ? 'ok      ' : 'damaged '} ${file.path}`),
      ]),
    )
    return models.some((model) => model.files.some((file) => !file.ok)) ? EXIT_FAILED : EXIT_DONE
  })
}
