#!/usr/bin/env node
// Collects the texts of the screens and of the engine's messages into src/renderer/locales, and writes docs/messages.md.
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { runnerImport } from 'vite'
import { messagesDocument, subjectOf } from './messages-document.mjs'

const root = resolve(import.meta.dirname, '..')
const lingui = join(dirname(createRequire(import.meta.url).resolve('@lingui/cli')), 'lingui.js')
execFileSync(process.execPath, [lingui, 'extract', '--overwrite'], { cwd: root, stdio: 'inherit' })

const folder = join(root, 'src/shared/domain/messages')
const { module } = await runnerImport(join(folder, 'tables.ts'))
const subjects = Object.fromEntries(
  Object.keys(module.tables).map((part) => [part, subjectOf(readFileSync(join(folder, `${part}.ts`), 'utf8'))]),
)
writeFileSync(join(root, 'docs/messages.md'), messagesDocument(module.tables, subjects))
