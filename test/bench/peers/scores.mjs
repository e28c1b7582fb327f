// Log-probabilities that llama.cpp gives to tokens: `node scores.mjs MODEL.gguf < {"ids": [...], "asked": [[...], ...], "threads": 2}`.
// Writes [{ best, logProbabilities }, ...]: for each position the best next token, and what the asked tokens have.
import { json } from 'node:stream/consumers'
import { getLlama, LlamaLogLevel } from 'node-llama-cpp'

const { ids, asked, threads } = await json(process.stdin)
const llama = await getLlama({ gpu: false, build: 'never', skipDownload: true, logLevel: LlamaLogLevel.error })
const model = await llama.loadModel({ modelPath: process.argv[2], gpuLayers: 0 })
const context = await model.createContext({ contextSize: ids.length + 8, threads: { ideal: threads, min: threads } })
const sequence = context.getSequence()
const scores = []
// All probabilities as they are: no temperature, nothing cut off.
const options = { temperature: 1, topK: 0, topP: 1, minP: 0 }
const STEP = 32
for (let start = 0; start < ids.length; start += STEP) {
  const part = ids.slice(start, start + STEP).map((id) => [id, { generateNext: { probabilities: true, options } }])
  const results = await sequence.controlledEvaluate(part)
  for (const result of results) {
    const { probabilities } = result.next
    const tokens = asked[scores.length]
    scores.push({
      best: probabilities.keys().next().value,
      logProbabilities: tokens.map((token) => Math.log(probabilities.get(token) ?? 0)),
    })
  }
}
process.stdout.write(JSON.stringify(scores))
process.exit(0)
