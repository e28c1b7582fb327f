/** Files that were changed at random places: each is refused or taken, and nothing is ever written outside the store. */
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join, sep } from 'node:path'
import { expect, test } from 'vitest'
import { Failure } from '#shared/domain/errors'
import { convertModel } from '#worker/convert/index'
import { ggufBytes, tinyModel } from '#worker/convert/sources/gguf.test.support'
import { createModelStore } from './store'
import { smallGraph, smallModel, temporaryFolder } from './model-folder.test.support'

const MUTATIONS = 200

/** A small deterministic generator, so that a failure can be looked at again. */
function generator(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

/** Bits flipped, bytes overwritten with what headers fear, a piece cut out or the end cut off; mostly near the beginning. */
function mutate(bytes: Uint8Array, random: (below: number) => number): Uint8Array {
  const copy = Uint8Array.from(bytes)
  const at = random(random(2) === 0 ? Math.min(copy.length, 4096) : copy.length)
  switch (random(4)) {
    case 0:
      copy[at] = (copy[at] ?? 0) ^ (1 << random(8))
      return copy
    case 1:
      copy.fill(random(2) === 0 ? 0xff : 0x7f, at, at + 1 + random(8))
      return copy
    case 2:
      return Buffer.concat([copy.subarray(0, at), copy.subarray(Math.min(copy.length, at + 1 + random(64)))])
    default:
      return copy.subarray(0, at)
  }
}

/** Everything below a folder with size and time of change, except the store and what lies in it. */
function around(folder: string, store: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => path !== store && !path.startsWith(`${store}${sep}`))
    .map((path) => ({ path, about: statSync(path) }))
    .map(({ path, about }) => `${path} ${about.size} ${about.mtimeMs}`)
}

const shape = { family: 'llama', layers: 1, width: 64, hidden: 64, heads: 1, keyValueHeads: 1, headSize: 64 } as const
const { metadata, tensors } = tinyModel(shape, 8, 3)
const safetensors = (): Uint8Array => {
  const header = Buffer.from(
    JSON.stringify({ 'embeddings.word_embeddings.weight': { dtype: 'F32', shape: [8, 8], data_offsets: [0, 256] } }),
  )
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(header.length))
  return Buffer.concat([length, header, Buffer.alloc(256, 1)])
}

test.each<[string, string, Uint8Array, Record<string, string | Uint8Array>]>([
  ['GGUF', 'model.gguf', ggufBytes(metadata, tensors), {}],
  [
    'safetensors',
    'model.safetensors',
    safetensors(),
    { 'config.json': '{"model_type":"bert"}', 'tokenizer.json': '{}' },
  ],
  [
    'ONNX',
    'model.onnx',
    smallGraph({ externalData: { location: 'weights.bin', offset: '0', length: '64' } }),
    { ...smallModel(), 'weights.bin': new Uint8Array(64) },
  ],
])('%s files changed at random', async (_kind, name, whole, beside) => {
  const world = temporaryFolder()
  const folder = join(world, 'store')
  const given = join(world, 'given')
  mkdirSync(given)
  for (const [path, content] of Object.entries(beside)) writeFileSync(join(given, path), content)
  const store = await createModelStore({
    folder,
    builtIn: [],
    convert: convertModel,
    probe: () => Promise.resolve({ macFormula: { kind: 'embed', perToken: 1, perPair: 1 }, context: 8 }),
  })
  const random = generator(7)
  let refused = 0
  for (let round = 0; round < MUTATIONS; round++) {
    const bytes = mutate(whole, random)
    writeFileSync(join(given, name), bytes)
    const before = around(world, folder)
    try {
      await store.add(name === 'model.gguf' ? join(given, name) : given)
    } catch (error) {
      // A bug would be another error than a refusal.
      expect(error).toBeInstanceOf(Failure)
      refused++
    }
    expect(around(world, folder)).toEqual(before)
    expect(readFileSync(join(given, name)).equals(bytes)).toBe(true)
    for (const { id } of store.list()) await store.remove(id)
    expect(readdirSync(folder)).toEqual([])
  }
  expect(refused).toBeGreaterThan(MUTATIONS / 8)
})
