/** The two engines of the chat benchmark behind one interface, and the files that both read. */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Template } from '@huggingface/jinja'
import { createNodeProcessHost } from '#process/node-host'
import { createPeer } from '#process/peer'
import type { InstalledModel } from '#shared/domain/model-stages'
import type { WorkerMethods, WorkerNotifications } from '#shared/ipc/worker'
import { makeModel } from '../../support/bench-models'
import { root } from '../../support/lode'
import { installPeers, peersFolder } from '../../support/peers'
import { smollm2File } from '../../support/smollm2'
import { requantize } from './requantize'

const CONTEXT_TOKENS = 2048

export interface Prepared {
  /** the format */
  name: string
  file: string
  location: InstalledModel
}

export interface Answered {
  promptTokens: number
  generatedTokens: number
  /** inside the engine's process, until the first token is chosen */
  promptMilliseconds: number
  /** from the first token to the last */
  generateMilliseconds: number
  /** from outside */
  firstTokenMilliseconds: number
  sentAt: number
  /** when a piece of text came, and the newest token in it */
  tokenTimes: { at: number; index: number }[]
}

export interface Engine {
  answer(question: string, tokens: number): Promise<Answered>
  close(): Promise<void>
}

/** Fetches the file, makes the other one from it, and builds Lode's graphs; what is there already stays. */
export async function prepareModels(folder: string): Promise<Prepared[]> {
  mkdirSync(folder, { recursive: true })
  const original = smollm2File()
  const requantized = join(folder, 'SmolLM2-135M-Instruct.Q4_0.gguf')
  if (!existsSync(requantized)) await requantize(original, requantized)
  installPeers()
  const built: Prepared[] = []
  for (const [name, file] of [
    ['Q4_1', original],
    ['Q4_0', requantized],
  ] as const)
    built.push({ name, file, location: await buildGraph(folder, name, file) })
  return built
}

async function startWorker(threads: number) {
  const child = await createNodeProcessHost(join(root, 'out/node')).start('worker', {
    role: 'worker',
    deviceId: 'bench',
    threads,
  })
  const peer = createPeer<WorkerMethods, WorkerNotifications>(child.port, 'worker')
  const close = async (): Promise<void> => {
    child.kill()
    await child.exited
  }
  return { peer, close }
}

async function buildGraph(home: string, name: string, file: string): Promise<InstalledModel> {
  const { peer, close } = await startWorker(2)
  try {
    return await makeModel(peer, {
      kind: 'chat',
      name,
      file,
      folder: join(home, `graph-${name}`),
      context: CONTEXT_TOKENS,
    })
  } finally {
    await close()
  }
}

export async function startLode({ location }: Prepared, threads: number): Promise<Engine> {
  const { peer, close } = await startWorker(threads)
  const listeners = new Map<string, (index: number) => void>()
  peer.on('job.token', ({ jobId, index }) => listeners.get(jobId)?.(index))
  return {
    close,
    answer: async (question, tokens) => {
      const jobId = crypto.randomUUID()
      const sentAt = performance.now()
      const tokenTimes: Answered['tokenTimes'] = []
      listeners.set(jobId, (index) => tokenTimes.push({ at: performance.now(), index }))
      const messages = [{ role: 'user' as const, content: question }]
      const input = { kind: 'chat' as const, messages, maxTokens: tokens }
      const { sizes, milliseconds } = await peer.request('job.run', {
        jobId,
        input: JSON.stringify(input),
        model: location,
      })
      const ended = performance.now()
      listeners.delete(jobId)
      if (sizes.kind !== 'chat') throw new Error('the answer is of another kind')
      const first = tokenTimes[0]
      if (first === undefined || first.index !== 0) throw new Error('the first token gave no text')
      const firstTokenMilliseconds = first.at - sentAt
      const generateMilliseconds = ended - first.at
      return {
        ...sizes,
        sentAt,
        tokenTimes,
        firstTokenMilliseconds,
        generateMilliseconds,
        promptMilliseconds: milliseconds - generateMilliseconds,
      }
    },
  }
}

export async function startLlama({ file, location }: Prepared, threads: number): Promise<Engine> {
  const child = spawn(process.execPath, [join(peersFolder, 'llama.mjs'), file, String(threads)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const next = async (): Promise<Record<string, unknown>> => {
    const { value, done } = await lines.next()
    if (done) throw new Error('llama.cpp ended')
    return JSON.parse(value) as Record<string, unknown>
  }
  const ready = await next()
  console.log(`llama.cpp: ${JSON.stringify(ready)}`)
  const template = promptTemplate(location)
  return {
    close: async () => {
      child.stdin.end()
      await new Promise((resolve) => child.once('exit', resolve))
    },
    answer: async (question, tokens) => {
      const sentAt = performance.now()
      child.stdin.write(`${JSON.stringify({ text: template(question), tokens })}\n`)
      await next()
      const firstTokenMilliseconds = performance.now() - sentAt
      const { ids, promptTokens, promptMilliseconds, generateMilliseconds } = (await next()) as {
        ids: number[]
        promptTokens: number
        promptMilliseconds: number
        generateMilliseconds: number
      }
      return {
        promptTokens,
        promptMilliseconds,
        generateMilliseconds,
        firstTokenMilliseconds,
        generatedTokens: ids.length,
        sentAt,
        tokenTimes: [],
      }
    },
  }
}

/** The same template for both, so that prompts are the same tokens. */
function promptTemplate({ folder }: InstalledModel): (question: string) => string {
  const template = new Template(readFileSync(join(folder, 'chat_template.jinja'), 'utf8'))
  return (question) =>
    template.render({ messages: [{ role: 'user', content: question }], add_generation_prompt: true, bos_token: '' })
}
