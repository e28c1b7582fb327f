// Text recognition by @gutenye/ocr-node, as its documentation shows it, on the same PP-OCRv4 models: node ocr.mjs. One JSON value a line in and out.
import { createInterface } from 'node:readline'
import Ocr from '@gutenye/ocr-node'

const ocr = await Ocr.create()
console.log('"ready"')
for await (const line of createInterface({ input: process.stdin })) {
  const { file } = JSON.parse(line)
  const startedAt = performance.now()
  const lines = await ocr.detect(file)
  const milliseconds = performance.now() - startedAt
  console.log(JSON.stringify({ milliseconds, texts: lines.map(({ text }) => text) }))
}
