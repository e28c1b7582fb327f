// Embeddings by transformers.js, as its documentation shows them: node embed.mjs FOLDER MODEL THREADS. One JSON value a line in and out.
import { createInterface } from 'node:readline'
import { env, pipeline } from '@huggingface/transformers'

const [folder, model, threads] = process.argv.slice(2)
env.allowRemoteModels = false
env.localModelPath = folder
const extract = await pipeline('feature-extraction', model, {
  dtype: 'fp32', // names the file: model.onnx, as it is
  session_options: { intraOpNumThreads: Number(threads), interOpNumThreads: 1 },
})
console.log('"ready"')
for await (const line of createInterface({ input: process.stdin })) {
  const { texts, batch } = JSON.parse(line)
  const startedAt = performance.now()
  const vectors = []
  for (let from = 0; from < texts.length; from += batch) {
    const output = await extract(texts.slice(from, from + batch), { pooling: 'mean', normalize: true })
    vectors.push(...output.tolist())
  }
  console.log(JSON.stringify({ milliseconds: performance.now() - startedAt, vectors }))
}
