/** What the steps of a chat consist of, by onnxruntime's own profile. */
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import * as runtime from 'onnxruntime-node'
import { createChatBackend } from '#worker/inference/chat/backend'
import type { ChatModel } from '#worker/inference/chat/model'
import type { Prepared } from './engines'

const PREFIX = 'profile-chat'
const PROMPT_TOKENS = 512
const STEPS = 48
/** the worker cuts a prompt of a model of this size into two chunks of so many tokens, then into chunks of twice that size */
const CHUNK_TOKENS = 64

const profile = z.array(
  z.looseObject({
    name: z.string(),
    ts: z.number(),
    dur: z.number().optional(),
    args: z.looseObject({ op_name: z.string().optional() }).optional(),
  }),
)

/** Groups of operators in the table's order; what is in none of them is the last. */
const groups: [name: string, operators: readonly string[]][] = [
  ['products with weights', ['MatMulNBits']],
  [
    'attention',
    ['FusedMatMul', 'MatMul', 'Softmax', 'Concat', 'Add', 'Split', 'Transpose', 'RotaryEmbedding', 'Reshape'],
  ],
  ['other operators', []],
]

/** The product that makes a layer's values, which may be in float32. */
const VALUE_PRODUCT = /^layer\.\d+\.v_kernel_time$/

/** A table in Markdown: chunks of a prompt, steps of one request, steps of eight requests. */
export async function profileOf({ location }: Prepared, threads: number, folder: string): Promise<string> {
  const columns = [
    await measured(location, threads, folder, 1, 1),
    await measured(location, threads, folder, 1, STEPS),
    await measured(location, threads, folder, 8, STEPS),
  ]
  const names = [...groups.map(([name]) => name), 'between operators', 'outside']
  const rows = names.map((name) => `| ${name} | ${columns.map((column) => column.get(name)!.toFixed(2)).join(' | ')} |`)
  const total = columns.map((column) => [...column.values()].reduce((sum, value) => sum + value, 0).toFixed(2))
  return [
    `| milliseconds | a part of a prompt of ${PROMPT_TOKENS}, on average | a step of one request behind ${PROMPT_TOKENS} tokens | a step of eight |`,
    '|---|---|---|---|',
    ...rows,
    `| together | ${total.join(' | ')} |`,
  ].join('\n')
}

async function measured(
  location: Prepared['location'],
  threads: number,
  folder: string,
  requests: number,
  steps: number,
): Promise<Map<string, number>> {
  const profileFile = join(folder, PREFIX)
  for (const old of readdirSync(folder)) if (old.startsWith(PREFIX)) rmSync(join(folder, old))
  const session = await runtime.InferenceSession.create(join(location.folder, 'model.onnx'), {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    enableMemPattern: false,
    logSeverityLevel: 4,
    extra: { session: { force_spinning_stop: '1' } },
    enableProfiling: true,
    profileFilePrefix: profileFile,
  })
  const backend = createChatBackend(profiledModel(session, location))
  const prompts = Array.from({ length: requests }, (_, request) =>
    Array.from({ length: PROMPT_TOKENS }, (_, index) => 1000 + ((index * 977 + request * 13) % 30_000)),
  )
  const chunks = 2 + (PROMPT_TOKENS - 2 * CHUNK_TOKENS) / (2 * CHUNK_TOKENS)
  await Promise.all(
    prompts.map((prompt, request) =>
      backend.answer({
        prompt,
        // all end at the same step, though the first began to generate while the others' prompts were prefilled
        maxNewTokens: steps === 1 ? 1 : steps + (requests - 1 - request) * chunks,
        sampling: undefined,
        stop: [],
        signal: new AbortController().signal,
        onToken: () => undefined,
      }),
    ),
  )
  session.endProfiling()
  await session.release()
  const file = readdirSync(folder).find((name) => name.startsWith(PREFIX))
  if (file === undefined) throw new Error('onnxruntime wrote no profile')
  const events = profile.parse(JSON.parse(readFileSync(join(folder, file), 'utf8')))
  const runs = events.filter(({ name }) => name === 'model_run')
  // of a prompt: all runs but the first, which warms up; of steps: the last ones, when all requests generate
  const chosen = steps === 1 ? runs.slice(1) : runs.slice(-steps)
  return summary(events, chosen)
}

/** What the chat backend needs of a model; no tokens are decoded into text. */
function profiledModel(session: runtime.InferenceSession, { folder }: Prepared['location']): ChatModel {
  const config = z
    .object({
      num_hidden_layers: z.number(),
      num_attention_heads: z.number(),
      num_key_value_heads: z.number(),
      head_dim: z.number(),
    })
    .parse(JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')))
  const inputs = Array.from({ length: config.num_hidden_layers }, (_, layer) => ({
    key: `past_key_values.${layer}.key`,
    value: `past_key_values.${layer}.value`,
  }))
  return {
    runtime,
    session,
    tokenizer: { decode: () => '' } as unknown as ChatModel['tokenizer'],
    template: undefined as unknown as ChatModel['template'],
    endIds: new Set(),
    context: 2048,
    cacheInputs: [],
    inPlace: false,
    batchedCache: {
      inputs,
      heads: config.num_key_value_heads,
      group: config.num_attention_heads / config.num_key_value_heads,
      headSize: config.head_dim,
    },
    prefillChunkTokens: CHUNK_TOKENS,
  }
}

function summary(events: z.infer<typeof profile>, runs: z.infer<typeof profile>): Map<string, number> {
  const result = new Map<string, number>(groups.map(([name]) => [name, 0]))
  const from = runs[0]!.ts
  const until = runs.at(-1)!.ts + (runs.at(-1)!.dur ?? 0)
  let kernels = 0
  for (const { name, ts, dur = 0, args } of events) {
    const operator = args?.op_name
    if (operator === undefined || !name.endsWith('_kernel_time') || ts < from || ts > until) continue
    const known = groups.find(([, operators]) => operators.includes(operator))?.[0] ?? 'other operators'
    const group = VALUE_PRODUCT.test(name) ? groups[0]![0] : known
    result.set(group, (result.get(group) ?? 0) + dur)
    kernels += dur
  }
  const inside = runs.reduce((sum, { dur = 0 }) => sum + dur, 0)
  result.set('between operators', inside - kernels)
  result.set('outside', until - from - inside)
  for (const [name, value] of result) result.set(name, value / 1000 / runs.length)
  return result
}
