import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { installedModelOf, type InstalledModel } from '#shared/domain/model-stages'
import { sha256Hex } from '#shared/domain/signed'
import { utf8ToBytes } from '#shared/domain/bytes'
import { createModelCounter } from './model-counter'

const counted = { kind: 'embed' as const, perToken: 20, perPair: 2 }
let folder: string
let model: InstalledModel

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lode-counter-'))
  writeFileSync(join(folder, 'model.onnx'), 'graph')
  const files = [{ path: 'model.onnx', bytes: 5, sha256: sha256Hex(utf8ToBytes('graph')) }]
  // What a person may have written into the manifest.
  const macFormula = { kind: 'chat' as const, perToken: 9e15, perPair: 9e15, perLogits: 9e15 }
  const stated = {
    id: 'mine',
    kind: 'embed' as const,
    name: 'Mine',
    licence: 'MIT',
    source: 'test',
    context: 8_000_000,
  }
  model = installedModelOf({ ...stated, files, macFormula }, folder)
})
afterEach(() => rmSync(folder, { recursive: true }))

const counter = () =>
  createModelCounter({ usable: () => [model] }, { probe: async () => ({ macFormula: counted, context: 512 }) })

it('answers with what the verifier counted, and nothing that the manifest says of work', async () => {
  expect(await counter()(model.hash)).toEqual({ kind: 'embed', name: 'Mine', context: 512, macFormula: counted })
})

it('refuses a model whose files were changed, and knows no other', async () => {
  writeFileSync(join(folder, 'model.onnx'), 'Graph')
  await expect(counter()(model.hash)).rejects.toMatchObject({ code: 'model-refused' })
  expect(await counter()('0'.repeat(64))).toBeUndefined()
})
