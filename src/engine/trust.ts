/** What runs here and where it came from: the program's own parts with version, licence and the hash of what was loaded. */
import { createHash } from 'node:crypto'
import { createReadStream, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { z } from 'zod'
import type { TrustItem } from '#shared/contract/settings'
import { packageFolder } from './package-folder'

/** Packages with native code or that touch a person's data, with the file that carries their code where it is one file. */
const PARTS: readonly { package: string; binary?: string }[] = [
  { package: 'onnxruntime-node', binary: `bin/napi-v6/${process.platform}/${process.arch}/onnxruntime_binding.node` },
  { package: 'better-sqlite3' },
  { package: 'sharp' },
  { package: '@huggingface/gguf' },
  { package: 'onnx-proto' },
  { package: 'yauzl' },
  { package: '@huggingface/tokenizers' },
  { package: '@huggingface/jinja' },
  { package: '@scure/btc-signer' },
  { package: 'micro-eth-signer' },
  { package: 'systeminformation' },
  { package: 'fastify' },
  { package: 'ws' },
]
const manifest = z.object({ name: z.string(), version: z.string(), license: z.string().optional() })

let known: Promise<TrustItem[]> | null = null

/** Hashes are taken from the files on this disk, once a run. */
export function programTrust(): Promise<TrustItem[]> {
  known ??= collect()
  return known
}

async function collect(): Promise<TrustItem[]> {
  const node: TrustItem = {
    name: process.versions.electron === undefined ? 'Node.js' : 'Electron',
    kind: 'program',
    version: process.versions.electron ?? process.versions.node,
    sha256: await sha256(process.execPath),
    origin: process.versions.electron === undefined ? 'npm package "node"' : 'npm package "electron"',
    licence: 'MIT',
  }
  return [node, ...(await Promise.all(PARTS.map(describe))).filter((item) => item !== null)]
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
