/**
 * llama.cpp in a process of its own: `node llama.mjs MODEL THREADS`. One request a line on standard input,
 * { text } or { ids }, with { tokens }: the most to generate, greedily. Answers one line for the first token and one for
 * the last: { first: true } and { ids, promptTokens, promptMilliseconds, generateMilliseconds }.
 */
import { createInterface } from 'node:readline'
import { getLlama, LlamaLogLevel } from 'node-llama-cpp'

const [file, threadsText] = process.argv.slice(2)
const threads = Number(threadsText)
const llama = await getLlama({
  gpu: false,
  build: 'never',
  skipDownload: true,
  progressLogs: false,
  maxThreads: threads,
  logLevel: LlamaLogLevel.error,
})
const model = await llama.loadModel({ modelPath: file, gpuLayers: 0 })
const context = await model.createContext({
  contextSize: 2048,
  batchSize: 512,
  threads: { ideal: threads, min: threads },
})
const sequence = context.getSequence()
const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`)
say({ ready: true, features: llama.systemInfo, threads: context.idealThreads })

for await (const line of createInterface({ input: process.stdin })) {
  const { text, ids, tokens } = JSON.parse(line)
  await sequence.clearHistory()
  const begun = performance.now()
  const prompt = ids ?? model.tokenize(text, true)
  const generated = []
  let first = 0
  for await (const token of sequence.evaluate(prompt, { temperature: 0, yieldEogToken: true })) {
    if (generated.push(token) === 1) {
      first = performance.now()
      say({ first: true })
    }
    if (generated.length >= tokens) break
  }
  const ended = performance.now()
  say({
    ids: generated,
    promptTokens: prompt.length,
    promptMilliseconds: first - begun,
    generateMilliseconds: ended - first,
  })
}
process.exit(0)
