import { fork } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { build } from 'vite'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { createModelStore } from './store'
import { folderOf, noConversion, smallModel, temporaryFolder } from './model-folder.test.support'

/** The store as a program of its own, which adds a folder; when the model is to be run it says so, and waits to be killed. */
const PROGRAM = `
import { createModelStore } from './store.js'
const [folder, source] = process.argv.slice(2)
const probe = () => {
  process.send('probing')
  return new Promise(() => setInterval(() => undefined, 1000))
}
const store = await createModelStore({ folder, builtIn: [], convert: () => Promise.reject(new Error('unused')), probe })
await store.add(source)
`
const programFolder = mkdtempSync(join(tmpdir(), 'lode-store-program-'))
const program = join(programFolder, 'program.mjs')

beforeAll(async () => {
  await build({
    configFile: false,
    root: join(import.meta.dirname, '../../..'),
    logLevel: 'error',
    ssr: { noExternal: true },
    build: {
      ssr: join(import.meta.dirname, 'store.ts'),
      outDir: programFolder,
      emptyOutDir: false,
      target: 'node24',
      rolldownOptions: { output: { entryFileNames: 'store.js' } },
    },
  })
  writeFileSync(join(programFolder, 'package.json'), '{"type":"module"}')
  writeFileSync(program, PROGRAM)
})
afterAll(() => rmSync(programFolder, { recursive: true, force: true }))

/** Kills an addition as soon as `reached` says so, and gives what the store holds then and after its next opening. */
async function killDuringAdd(
  source: string,
  reached: (store: string, probing: boolean) => boolean,
): Promise<{ left: string[]; next: string[] }> {
  const store = temporaryFolder()
  const child = fork(program, [store, source], { execArgv: [] })
  onTestFinished(() => void child.kill('SIGKILL'))
  let probing = false
  child.on('message', () => (probing = true))
  const gone = new Promise((resolve) => child.once('exit', (_, signal) => resolve(signal)))
  while (!reached(store, probing) && child.exitCode === null) await wait(1)
  child.kill('SIGKILL')
  expect(await gone).toBe('SIGKILL')
  const left = readdirSync(store)
  const reopened = await createModelStore({
    folder: store,
    builtIn: [],
    convert: noConversion,
    probe: () => Promise.reject(new Error('nothing is to be run')),
  })
  expect(reopened.list()).toEqual([])
  return { left, next: readdirSync(store) }
}

const large = 'z-large.data'
function largeModel(): string {
  const bytes = 192 * 1024 ** 2
  return folderOf({
    ...smallModel({ externalData: { location: large, length: '64' } }),
    [large]: new Uint8Array(bytes),
  })
}

test('killed in the middle of copying, nothing is half installed and nothing is left over', async () => {
  const unfinished = '.unfinished-added'
  const { left, next } = await killDuringAdd(largeModel(), (store) => existsSync(join(store, unfinished, large)))
  expect(left).toEqual([unfinished])
  expect(next).toEqual([])
})

test('killed while the model is tried, nothing is half installed and nothing is left over', async () => {
  const { left, next } = await killDuringAdd(folderOf(smallModel()), (_, probing) => probing)
  expect(left).toEqual(['.unfinished-added'])
  expect(next).toEqual([])
})
