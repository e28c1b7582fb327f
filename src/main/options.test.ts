import { resolve } from 'node:path'
import { expect, it } from 'vitest'
import { readOptions } from './options'

const here = resolve('/somewhere')

it('reads the data folder from the command line, then from the environment', () => {
  expect(readOptions(['electron', '.'], {}, here)).toEqual({})
  expect(readOptions(['electron', '.', '--data-dir', 'rig'], {}, here)).toEqual({ dataDir: resolve(here, 'rig') })
  expect(readOptions(['electron', '.', '--data-dir=/rig', '--inspect=0'], {}, here)).toEqual({
    dataDir: resolve('/rig'),
  })
  expect(readOptions(['electron'], { LODE_DATA_DIR: '/other' }, here)).toEqual({ dataDir: resolve('/other') })
  expect(readOptions(['electron', '--data-dir', '/rig'], { LODE_DATA_DIR: '/other' }, here)).toEqual({
    dataDir: resolve('/rig'),
  })
})

it('takes another Node for the engine only when one is named', () => {
  expect(readOptions([], { LODE_ENGINE_NODE: '' }, here)).toEqual({})
  expect(readOptions([], { LODE_ENGINE_NODE: '/opt/node' }, here)).toEqual({ engineNode: '/opt/node' })
})
