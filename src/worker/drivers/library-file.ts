/** Finds the platform of a shared library from its file header, so that a wrong library is refused before any of its code runs. */
import { open } from 'node:fs/promises'
import { message, type Message } from '#shared/domain/messages'

const ELF_MACHINES: Readonly<Record<number, string>> = { 3: 'ia32', 40: 'arm', 62: 'x64', 183: 'arm64', 243: 'riscv64' }
const MACH_MACHINES: Readonly<Record<number, string>> = { 0x01000007: 'x64', 0x0100000c: 'arm64' }
const PE_MACHINES: Readonly<Record<number, string>> = { 0x8664: 'x64', 0xaa64: 'arm64', 0x014c: 'ia32' }
const MACH_64 = 0xfeedfacf
const MACH_UNIVERSAL = 0xcafebabe

/** Why this machine cannot load the file; null: it can. Rejects when the file cannot be read. */
export async function libraryMismatch(path: string): Promise<Message | null> {
  const platform = await libraryPlatform(path)
  const here = `${process.platform}-${process.arch}`
  if (platform === null) return message('driver-no-library')
  if (platform === here || platform === `${process.platform}-universal`) return null
  return message('driver-library-for', { platform, here })
}

/** `linux-x64`, `darwin-arm64`, …; `darwin-universal`; null for a file that is no library. Rejects when the file cannot be read. */
export async function libraryPlatform(path: string): Promise<string | null> {
  const file = await open(path)
  try {
    const head = Buffer.alloc(4096)
    const { bytesRead } = await file.read(head, 0, head.length, 0)
    if (bytesRead < 64) return null
    if (head.readUInt32BE(0) === 0x7f454c46) return `linux-${ELF_MACHINES[head.readUInt16LE(18)] ?? 'unknown'}`
    if (head.readUInt32LE(0) === MACH_64) return `darwin-${MACH_MACHINES[head.readUInt32LE(4)] ?? 'unknown'}`
    if (head.readUInt32BE(0) === MACH_UNIVERSAL) return 'darwin-universal'
    if (head.readUInt16LE(0) !== 0x5a4d) return null
    const header = head.readUInt32LE(60)
    if (header + 6 > bytesRead || head.readUInt32BE(header) !== 0x50450000) return null
    return `win32-${PE_MACHINES[head.readUInt16LE(header + 4)] ?? 'unknown'}`
  } finally {
    await file.close()
  }
}
