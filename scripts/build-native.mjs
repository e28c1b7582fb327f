#!/usr/bin/env node
// `npm run build:native`: the CPU driver and the addon that loads drivers, into out/native, with CMake and a C++
// compiler. Without them Lode computes with onnxruntime, and one line says so; that is no failure.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '..')
const folder = join(root, 'out', 'native')
const build = join(folder, 'build')
const products = ['lode_native.node', 'lode_driver_cpu.driver']
/** Drivers that lie ready to be added by hand, each in a folder with its manifest. */
const drivers = [
  {
    built: 'drivers/template/template.driver',
    manifest: { name: 'template', vendor: 'Your company', version: '1.0.0', licence: 'MIT' },
  },
  {
    built: 'drivers/products/products.driver',
    manifest: { name: 'products', vendor: 'Your company', version: '1.0.0', licence: 'MIT' },
  },
  // for tests and for looking at the screens; it needs Linux
  ...(process.platform !== 'linux'
    ? []
    : [
        {
          built: 'drivers/asic-sim/asic_sim.driver',
          manifest: { name: 'asic-sim', vendor: 'Lode (simulated)', version: '1.0.0', licence: 'MIT' },
        },
      ]),
]

const problem = buildNative()
if (problem !== undefined) console.error(`lode: no native backend: ${problem}; onnxruntime computes instead`)

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
    [
      '--build',
      build,
      '--target',
      'lode_native',
      'lode_driver_cpu',
      ...drivers.map(({ built }) => basename(built, '.driver')),
      '--parallel',
      '2',
    ],
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
  for (const driver of drivers) layOut(driver)
  return undefined
}

/** A driver as its maker would hand it over: the library, and a manifest with its hash. */
function layOut({ built, manifest }) {
  const home = join(folder, 'drivers', manifest.name)
  mkdirSync(home, { recursive: true })
  const file = basename(built)
  copyFileSync(join(build, built), join(home, `${file}.new`))
  renameSync(join(home, `${file}.new`), join(home, file))
  const sha256 = createHash('sha256')
    .update(readFileSync(join(home, file)))
    .digest('hex')
  const platforms = [`${process.platform}-${process.arch}`]
  const text = JSON.stringify({ ...manifest, abi: 1, platforms, file, sha256 }, null, 2)
  writeFileSync(join(home, 'driver.json'), `${text}\n`)
}

function answers(program) {
  return spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0
}
