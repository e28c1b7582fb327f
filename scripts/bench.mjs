#!/usr/bin/env node
// `npm run bench -- NAME [options]`: runs test/bench/NAME.ts on the built programs.
import './node-version.mjs'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { runnerImport } from 'vite'

const folder = join(import.meta.dirname, '..', 'test', 'bench')
const [name, ...options] = process.argv.slice(2)
const file = join(folder, `${name}.ts`)
if (!name || !existsSync(file)) {
  const names = readdirSync(folder)
    .filter((entry) => entry.endsWith('.ts'))
    .map((entry) => entry.slice(0, -3))
  console.error(`usage: npm run bench -- ${names.join('|')}`)
  process.exit(2)
}
await import('./build.mjs')
const { module } = await runnerImport(file)
await module.default(options)
