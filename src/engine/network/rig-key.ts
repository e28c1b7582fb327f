/** The rig's signing key: created at the first start, kept in a file that only its owner can read. The key signs work; it cannot spend money. */
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { bytesToHex, hex64 } from '#shared/domain/bytes'
import { Failure } from '#shared/domain/errors'
import { message } from '#shared/domain/messages'

/** The key's 32-byte seed as hex. Throws Failure `data-folder` when the file is there and is no key. */
export function loadRigKeySeed(dataDir: string, random: (bytes: number) => Uint8Array): string {
  const file = join(dataDir, 'rig.key')
  if (existsSync(file)) {
    const seed = hex64.safeParse(readFileSync(file, 'utf8').trim())
    if (seed.success) return seed.data
    throw new Failure('data-folder', message('rig-key-damaged', { file }))
  }
  const seed = bytesToHex(random(32))
  // The file is written under another name first: a crash leaves either no key or a complete one.
  const partial = `${file}.new`
  const descriptor = openSync(partial, 'w', 0o600)
  writeSync(descriptor, `${seed}\n`)
  fsyncSync(descriptor)
  closeSync(descriptor)
  renameSync(partial, file)
  return seed
}
