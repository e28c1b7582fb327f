#!/usr/bin/env node
// `npm run test:native [-- --part PART] [--calls N]`: the CPU driver through its C interface.
//   sanitizers   under the address and undefined-behaviour sanitizers: the vectors with every kernel, with and without each of
//                this processor's instructions, wrong arguments, cancellation, and random calls (100,000); whole nonces
//                from a driver's products
//   x86-64       on emulated processors that lack instructions: what they lack must not be reached
//   arm64        cross-compiled, on emulated processors
// Warnings are errors here. A part that lacks its tools says so and ends with 77.
import './node-version.mjs'
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'

const SKIPPED = 77
const root = resolve(import.meta.dirname, '..')
const folder = join(root, 'out', 'native')
const { values } = parseArgs({ options: { part: { type: 'string' }, calls: { type: 'string', default: '100000' } } })
const vectors = {
  /** The largest tier is left to the tests of the addon: sanitizers and emulation make it slow and see nothing new in it. */
  all: writeVectors('vectors.txt', { 'itp1-test': Infinity, 'itp1-small': Infinity }),
  few: writeVectors('few-vectors.txt', { 'itp1-test': 1, 'itp1-small': 0 }),
}
/** What the driver calls a unit, and how LODE_CPU_WITHOUT names it. */
const MASKS = {
  'AVX-512 VNNI': 'avx512-vnni',
  'AVX-VNNI': 'avx-vnni',
  AVX2: 'avx2',
  I8MM: 'i8mm',
  DotProd: 'dotprod',
  AES: 'aes',
  SHA: 'sha',
}
const parts = { sanitizers: testSanitized, 'x86-64': testEmulatedX86, arm64: testArm }

const chosen = values.part === undefined ? Object.keys(parts) : [values.part]
let skipped = 0
for (const name of chosen) {
  const test = parts[name]
  if (!test) fail(`no part "${name}"; there are ${Object.keys(parts).join(', ')}`)
  const reason = test()
  if (reason !== undefined) {
    skipped++
    console.log(`${name}: skipped: ${reason}`)
  }
}
process.exit(skipped === chosen.length ? SKIPPED : 0)

function testSanitized() {
  if (!answers('cmake')) return 'CMake was not found'
  // a processor that has AVX-VNNI's instruction under AVX-512 only reaches that kernel too
  const evex = hasOnly512()
  const flags = [
    '-DLODE_SANITIZE=ON',
    '-DCMAKE_BUILD_TYPE=RelWithDebInfo',
    `-DLODE_AVX_VNNI_BY_EVEX=${evex ? 'ON' : 'OFF'}`,
  ]
  const program = buildTest('sanitized', flags, ['product_test', 'products'])
  const build = dirname(program)
  runTest([], join(build, 'product_test'), [vectors.all, join(build, 'drivers/products/products.driver')], {})
  runTest([], program, [vectors.all, values.calls], {})
  testMasks([], program)
  return undefined
}

function testEmulatedX86() {
  if (process.arch !== 'x64') return 'this machine is no x86-64'
  if (!answers('qemu-x86_64')) return 'qemu-user was not found'
  if (!answers('cmake')) return 'CMake was not found'
  const program = buildTest('build', ['-DCMAKE_BUILD_TYPE=Release'])
  for (const [model, expected] of [
    ['qemu64', []],
    ['Westmere', ['AES']],
    ['Haswell,-aes', ['AVX2']],
  ]) {
    expectUnits(model, runTest(['qemu-x86_64', '-cpu', model], program, [vectors.few], {}), expected)
  }
  return undefined
}

function testArm() {
  const native = process.arch === 'arm64'
  const compiler = 'aarch64-linux-gnu-g++'
  if (!answers('cmake')) return 'CMake was not found'
  if (!native && !answers(compiler)) return `${compiler} was not found`
  if (!answers('qemu-aarch64')) return 'qemu-user was not found'
  const cross = [
    '-DCMAKE_SYSTEM_NAME=Linux',
    '-DCMAKE_SYSTEM_PROCESSOR=aarch64',
    '-DCMAKE_C_COMPILER=aarch64-linux-gnu-gcc',
    `-DCMAKE_CXX_COMPILER=${compiler}`,
    '-DCMAKE_EXE_LINKER_FLAGS=-static',
  ]
  const program = buildTest('arm64', ['-DCMAKE_BUILD_TYPE=Release', ...(native ? [] : cross)], ['lode_driver_cpu'])
  const emulated = (model) => ['qemu-aarch64', '-cpu', model]
  for (const [model, expected] of [
    ['neoverse-n1', ['DotProd', 'AES', 'SHA']],
    ['cortex-a72', ['AES', 'SHA']],
  ]) {
    expectUnits(model, runTest(emulated(model), program, [vectors.few], {}), expected)
  }
  const units = testMasks(emulated('max'), program)
  if (units.join() !== 'I8MM,DotProd,AES,SHA') fail(`an emulated processor with everything has ${units.join(', ')}`)
  return undefined
}

/** Each unit masked alone, and all at once: it is gone from the device's units, and the digests stay. Returns all units. */
function testMasks(launcher, program) {
  const units = unitsOf(runTest(launcher, program, [vectors.few], {}))
  for (const masked of [...units.map((unit) => [unit]), units]) {
    const mask = masked.map((unit) => MASKS[unit]).join(',')
    const left = unitsOf(runTest(launcher, program, [vectors.few], { LODE_CPU_WITHOUT: mask }))
    if (left.some((unit) => masked.includes(unit) || !units.includes(unit))) fail(`${mask} left ${left.join(', ')}`)
  }
  const wrong = spawnSync(...commandOf(launcher, program, [vectors.few]), {
    encoding: 'utf8',
    env: { ...process.env, LODE_CPU_WITHOUT: 'abacus' },
  })
  if (wrong.status !== 1 || !wrong.stderr.includes('open')) fail('a mask of no feature was taken')
  return units
}

function hasOnly512() {
  if (process.arch !== 'x64' || !existsSync('/proc/cpuinfo')) return false
  const [flags = ''] = /^flags.*$/m.exec(readFileSync('/proc/cpuinfo', 'utf8')) ?? []
  return flags.includes(' avx512_vnni') && !flags.includes(' avx_vnni')
}

function unitsOf(output) {
  const [, text = ''] = /^units: (.*)$/m.exec(output) ?? []
  return text === 'no vector instructions' ? [] : text.split(', ')
}

function expectUnits(model, output, expected) {
  const units = unitsOf(output)
  if (units.join() !== expected.join()) fail(`${model} has ${units.join(', ')} and not ${expected.join(', ')}`)
}

/** Returns the program. */
function buildTest(name, flags, alsoTargets = []) {
  const build = join(folder, name)
  mkdirSync(build, { recursive: true })
  const source = ['-S', join(root, 'native'), '-B', build, '-DCMAKE_COMPILE_WARNING_AS_ERROR=ON']
  run('cmake', [...source, ...flags])
  run('cmake', ['--build', build, '--target', 'driver_test', ...alsoTargets, '--parallel', '2'])
  return join(build, 'driver_test')
}

function commandOf(launcher, program, parameters) {
  const [first, ...rest] = [...launcher, program, ...parameters]
  return [first, rest]
}

/** Returns what it printed. */
function runTest(launcher, program, parameters, environment) {
  const [first, rest] = commandOf(launcher, program, parameters)
  console.log(['test:', ...launcher, ...Object.entries(environment).map((pair) => pair.join('='))].join(' '))
  const { status, stdout, stderr, signal, error } = spawnSync(first, rest, {
    encoding: 'utf8',
    env: { ...process.env, ...environment },
  })
  console.log(stdout)
  if (status === 0) return stdout
  console.error(stderr)
  return fail(error?.message ?? `ended with ${status ?? signal}`)
}

function run(program, parameters) {
  const { status, stdout, stderr, error } = spawnSync(program, parameters, { encoding: 'utf8' })
  if (status === 0) return
  console.error(`${stdout}${stderr}`.split('\n').slice(-60).join('\n'))
  fail(`${program} ${error?.message ?? `ended with ${status}`}`)
}

function answers(program) {
  return spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0
}

function fail(reason) {
  console.error(`lode: ${reason}`)
  process.exit(1)
}

/** `most`: vectors of each tier. */
function writeVectors(name, most) {
  const sizes = { 'itp1-test': '256 2 16', 'itp1-small': '256 12 32' }
  const { cases } = JSON.parse(readFileSync(join(root, 'test/fixtures/itp1-vectors.json'), 'utf8'))
  const lines = Object.entries(most).flatMap(([wanted, count]) =>
    cases
      .filter(({ tier }) => tier === wanted)
      .slice(0, count)
      .map(({ tier, epoch, publicKey, nonce, digest }) => {
        const header = createHash('sha256')
          .update('itp1/header/')
          .update(Buffer.from(epoch + publicKey, 'hex'))
          .digest('hex')
        return `${sizes[tier]} ${epoch} ${header} ${nonce} ${digest}\n`
      }),
  )
  mkdirSync(folder, { recursive: true })
  const file = join(folder, name)
  writeFileSync(file, lines.join(''))
  return file
}
