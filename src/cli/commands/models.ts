import { resolve } from 'node:path'
import type { Model } from '#shared/contract/models'
import { formatBytes, toText } from '#shared/domain/format'
import type { CommandContext } from '../lode'
import { EXIT_DONE, EXIT_FAILED } from '../output'
import { withSession } from '../session'

const line = (model: Model): string =>
  `${model.id}  ${model.kind}, ${toText(formatBytes(model.bytes))}, ${model.licence}: ${model.state}`

/** `lode models list` */
export async function modelsList({ output, dataDir }: CommandContext): Promise<void> {
  await withSession(dataDir, async ({ client }) => {
    const models = await client.call('models.list', null)
    output.answer(models, models.length === 0 ? 'No models.' : models.map(line))
  })
}

/** `lode models add DIR` */
export async function modelsAdd({ output, dataDir }: CommandContext, _options: unknown, folder: string): Promise<void> {
  await withSession(dataDir, async ({ client }) => {
    const model = await client.call('models.add', { folder: resolve(folder) })
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
