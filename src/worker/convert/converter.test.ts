/** What a file becomes depends on the converter too: manifests name it, and this says when it has become another one. */
import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { CONVERTER_SHA256 } from '#shared/domain/converter'
import { convertModel } from './index'
import { BLOCK_FORMATS } from './sources/block-formats'
import { ggufBytes, tinyModel } from './sources/gguf.test.support'
import { tinyGgufBert } from './sources/safetensors.test.support'

const base = { layers: 1, width: 256, hidden: 256, heads: 4, keyValueHeads: 2 }
const formats = Object.keys(BLOCK_FORMATS).map(Number)
const llama = formats.map((type) => tinyModel({ family: 'llama', ...base, headSize: 64 }, type, 1))
const others = [
  tinyModel({ family: 'llama', ...base, keyValueHeads: 1, headSize: 64 }, 8, 5),
  tinyModel({ family: 'qwen2', ...base, headSize: 64 }, 8, 2),
  tinyModel({ family: 'qwen3', ...base, headSize: 64 }, 8, 3),
  tinyGgufBert({ layers: 1, width: 64, hidden: 64, heads: 2, context: 16 }, 1, 4),
]

test('the converter is the one that manifests name', async () => {
  const home = mkdtempSync(join(tmpdir(), 'lode-converter-'))
  onTestFinished(() => rmSync(home, { recursive: true, force: true }))
  const hash = createHash('sha256')
  for (const [index, { metadata, tensors }] of [...llama, ...others].entries()) {
    const folder = join(home, String(index))
    writeFileSync(join(home, 'tiny.gguf'), ggufBytes(metadata, tensors))
    await convertModel({ form: 'gguf', path: join(home, 'tiny.gguf'), folder })
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).toSorted()
    for (const path of files.filter((path) => statSync(join(folder, path)).isFile()))
      hash.update(path).update(readFileSync(join(folder, path)))
  }
  const counted = hash.digest('hex')
  expect(CONVERTER_SHA256, `write ${counted} into src/shared/domain/converter.ts`).toBe(counted)
})
