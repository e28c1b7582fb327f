#!/usr/bin/env node
// `npm run screenshots`: every screen, dark and light, into docs/screenshots/.
import './node-version.mjs'
import { join } from 'node:path'
import { runnerImport } from 'vite'

await import('./build.mjs')
const { module } = await runnerImport(join(import.meta.dirname, '..', 'test', 'visual', 'screenshots.ts'))
await module.default()
process.exit()
