/** Embeddings: one vector of length 1 for each text. */
import { createHash } from 'node:crypto'
import { Failure } from '#shared/domain/errors'
import { message } from '#shared/domain/messages'
import type { EmbedInput, JobRun } from '#shared/domain/job'
import type { InstalledModel } from '#shared/domain/model-stages'
import type { WorkerMethods } from '#shared/ipc/worker'
import { countTransformerMacs } from '../graph/macs'
import { readGraph } from '../graph/read'
import { damaged, graphPath, headSize, readModelConfig } from '../model-files'
import { createKindModelCache, modelKey } from '../model-cache'
import { planBatches, poolVectors, TEXTS_PER_BATCH } from './batches'
import { encodeText, loadEmbedModel, type EmbedModel } from './model'

const models = createKindModelCache<BatchedModel>((model) => model.session.release())

/** Embeds every text, cut at the model's context. An empty text gives the vector of the special tokens. Rejects with `cancelled` within one batch. */
export async function runEmbed(
  input: EmbedInput,
  model: InstalledModel,
  context: { threads: number; signal: AbortSignal },
): Promise<JobRun> {
  const started = performance.now()
  return models.use(
    modelKey(model, context.threads),
    async () => withBatches(await loadEmbedModel(model, context.threads)),
    async (loaded) => {
      const encoded: number[][] = []
      for (const text of input.texts) encoded.push(await encodeText(loaded, text, context.signal))
      const vectors = await embed(loaded, encoded, context.signal)
      const digest = createHash('sha256')
      for (const vector of vectors) digest.update(littleEndian(vector))
      return {
        output: vectors.map((vector) => Array.from(vector)),
        evidence: { kind: 'embed', vectorsSha256: digest.digest('hex') },
        sizes: { kind: 'embed', tokensPerText: encoded.map((ids) => ids.length) },
        milliseconds: performance.now() - started,
      }
    },
  )
}

/** Loads the model, embeds one word, and counts its MACs. Rejects with `model-refused`. */
export async function probeEmbed(
  model: InstalledModel,
  context: { threads: number },
): Promise<WorkerMethods['model.probe']['result']> {
  const loaded = { ...(await loadEmbedModel(model, context.threads)), textsPerBatch: 1 }
  try {
    const signal = new AbortController().signal
    const [vector] = await embed(loaded, [await encodeText(loaded, 'hello', signal)], signal)
    const file = graphPath(model)
    if (!vector?.every(Number.isFinite)) throw damaged(message('run-vectors-no-numbers', { file: model.manifest.id }))
    const config = await readModelConfig(model)
    const attention = { heads: config.num_attention_heads ?? 1, headSize: headSize(config) }
    const { perToken, perPair } = countTransformerMacs(await readGraph(file), [loaded.output], attention)
    if (perToken === 0 || perPair === 0) throw damaged(message('run-no-products', { file: model.manifest.id }))
    return { macFormula: { kind: 'embed', perToken, perPair }, context: loaded.context }
  } finally {
    await loaded.session.release()
  }
}

interface BatchedModel extends EmbedModel {
  textsPerBatch: number
}

/**
 * Some models take 8-bit ranges over a whole batch, so that a text's vector depends on its neighbours, and nobody could check
 * it without them. Such a model, detected with two probes, runs one text at a time.
 */
async function withBatches(model: EmbedModel): Promise<BatchedModel> {
  const { signal } = new AbortController()
  const single = { ...model, textsPerBatch: 1 }
  const batched = { ...model, textsPerBatch: TEXTS_PER_BATCH }
  const probes = await Promise.all(
    ['one', 'a longer neighbour of seven plain words'].map((text) => encodeText(model, text, signal)),
  )
  const [alone, together] = [await embed(single, probes, signal), await embed(batched, probes, signal)]
  const same = alone.every((vector, index) =>
    vector.every((value, at) => Math.abs(value - (together[index]?.[at] ?? 0)) < 1e-4),
  )
  return same ? batched : single
}

async function embed(model: BatchedModel, encoded: number[][], signal: AbortSignal): Promise<Float32Array[]> {
  const vectors: Float32Array[] = Array.from({ length: encoded.length })
  for (const batch of planBatches(
    encoded.map((ids) => ids.length),
    model.textsPerBatch,
  )) {
    if (signal.aborted) throw new Failure('cancelled', message('job-was-cancelled'))
    const rows = batch.map((index) => encoded[index] ?? [])
    const pooled = await runBatch(model, rows)
    batch.forEach((index, position) => {
      const vector = pooled[position]
      if (vector) vectors[index] = vector
    })
  }
  return vectors
}

async function runBatch(model: EmbedModel, rows: number[][]): Promise<Float32Array[]> {
  const { Tensor } = model.runtime
  const padded = Math.max(...rows.map((row) => row.length))
  const values = (fill: (row: number[], token: number) => number): BigInt64Array => {
    const data = new BigInt64Array(rows.length * padded)
    rows.forEach((row, text) => {
      for (let token = 0; token < padded; token++) data[text * padded + token] = BigInt(fill(row, token))
    })
    return data
  }
  const inputs: Record<string, () => BigInt64Array> = {
    input_ids: () => values((row, token) => row[token] ?? model.padId),
    attention_mask: () => values((row, token) => (token < row.length ? 1 : 0)),
    token_type_ids: () => values(() => 0),
    position_ids: () => values((row, token) => Math.min(token, row.length - 1)),
  }
  const feeds = Object.fromEntries(
    model.session.inputNames.map((name) => [
      name,
      new Tensor('int64', inputs[name]?.() ?? values(() => 0), [rows.length, padded]),
    ]),
  )
  const output = (await model.session.run(feeds, [model.output]))[model.output]
  const dimensions = output?.dims[2]
  if (!(output?.data instanceof Float32Array) || dimensions === undefined) {
    throw damaged(message('run-no-vectors', { file: model.output }))
  }
  const lengths = rows.map((row) => row.length)
  return poolVectors(output.data, lengths, padded, dimensions, model.pooling)
}

function littleEndian(vector: Float32Array): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(vector.length * 4))
  vector.forEach((value, index) => bytes.setFloat32(index * 4, value, true))
  return new Uint8Array(bytes.buffer)
}
