#!/usr/bin/env node
// `npm run build:native`: the CPU driver and the addon that loads drivers, into out/native, with CMake and a C++
// compiler. Without them Lode computes with onnxruntime, and one line says so; that is no failure.
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, renameSync } from 'node:fs'
import { join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '..')
const folder = join(root, 'out', 'native')
const build = join(folder, 'build')
const products = ['lode_native.node', 'lode_driver_cpu.driver']

const problem = buildNative()
if (problem !== undefined) console.error(`lode: no native engine: ${problem}; onnxruntime computes instead`)

/** Returns why there is nothing new in out/native, or nothing. */
function buildNative() {
  if (process.platform === 'win32') return 'it is not built on Windows yet'
  if (!answers('cmake')) return 'CMake was not found'
  if (![process.env.CXX, 'c++', 'g++', 'clang++'].some((compiler) => compiler && answers(compiler))) {
    return 'a C++ compiler was not found'
  }
  mkdirSync(build, { recursive: true })
  const steps = [
    ['-S', join(root, 'native'), '-B', build, '-DCMAKE_BUILD_TYPE=Release'],
    ['--build', build, '--target', 'lode_native', 'lode_driver_cpu', '--parallel', '2'],
  ]
  for (const step of steps) {
    const { status, stdout, stderr } = spawnSync('cmake', step, { encoding: 'utf8' })
    if (status !== 0) {
      console.error(`${stdout}${stderr}`.split('\n').slice(-30).join('\n'))
      return 'it could not be built (above)'
    }
  }
  // a program that has the old file open keeps it
  for (const product of products) {
    if (!existsSync(join(build, product))) return `the build made no ${product}`
    const fresh = join(folder, `${product}.new`)
    copyFileSync(join(build, product), fresh)
    renameSync(fresh, join(folder, product))
  }
  return undefined
}

function answers(program) {
  return spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0
}
