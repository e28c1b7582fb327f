/** The parts of the program: origin, version, licence, and the hash of the loaded file. */
import { createHash } from 'node:crypto'
import { createReadStream, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import type { TrustItem } from '#shared/contract/settings'
import { packageFolder } from '../base'

/** Packages with native code or that touch a person's data, with the file that carries their code where it is one file. */
const PARTS: readonly { package: string; binary?: string }[] = [
  { package: 'onnxruntime-node', binary: `bin/napi-v6/${process.platform}/${process.arch}/onnxruntime_binding.node` },
  { package: 'better-sqlite3' },
  { package: 'sharp' },
  { package: '@huggingface/gguf' },
  { package: 'onnx-proto' },
  { package: 'yauzl' },
  { package: 'webgpu' },
  { package: '@huggingface/tokenizers' },
  { package: '@huggingface/jinja' },
  { package: '@scure/btc-signer' },
  { package: 'micro-eth-signer' },
  { package: 'systeminformation' },
  { package: 'fastify' },
  { package: 'ws' },
]
const manifest = z.object({ name: z.string(), version: z.string(), license: z.string().optional() })

/** Lode's own driver for processors, in the addon that loads all drivers; it lies beside the built programs if a compiler was there to build it. */
const CPU_DRIVER = fileURLToPath(new URL('../native/lode_native.node', import.meta.url))

let known: Promise<TrustItem[]> | null = null

/** Hashes are taken from the files on this disk, once a run. `version`: Lode's. */
export function programTrust(version: string): Promise<TrustItem[]> {
  known ??= collect(version)
  return known
}

async function collect(version: string): Promise<TrustItem[]> {
  const node: TrustItem = {
    name: process.versions.electron === undefined ? 'Node.js' : 'Electron',
    kind: 'program',
    version: process.versions.electron ?? process.versions.node,
    sha256: await sha256(process.execPath),
    origin: process.versions.electron === undefined ? 'npm package "node"' : 'npm package "electron"',
    licence: 'MIT',
  }
  const parts = await Promise.all([cpuDriver(version), ...PARTS.map(describe)])
  return [node, ...parts.filter((item) => item !== null)]
}

async function cpuDriver(version: string): Promise<TrustItem | null> {
  const hash = await sha256(CPU_DRIVER)
  if (hash === null) return null
  return {
    name: 'CPU driver',
    kind: 'driver',
    version,
    sha256: hash,
    origin: 'built from this copy of Lode',
    licence: 'MIT',
  }
}

async function describe(part: (typeof PARTS)[number]): Promise<TrustItem | null> {
  const folder = packageFolder(part.package)
  if (folder === null) return null
  const { name, version, license } = manifest.parse(JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')))
  return {
    name,
    kind: 'library',
    version,
    sha256: part.binary === undefined ? null : await sha256(join(folder, part.binary)),
    origin: `npm package "${name}"`,
    licence: license ?? 'unknown',
  }
}

async function sha256(file: string): Promise<string | null> {
  try {
    const hash = createHash('sha256')
    await pipeline(createReadStream(file), hash)
    return hash.digest('hex')
  } catch {
    return null
  }
}
