/** A software Vulkan driver for the tests of the webgpu backend, where the computer has one. */
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'

const PLACES = [
  '/usr/lib/chromium/vk_swiftshader_icd.json',
  '/usr/share/vulkan/icd.d/lvp_icd.x86_64.json',
  '/usr/share/vulkan/icd.d/lvp_icd.aarch64.json',
  '/usr/share/vulkan/icd.d/lvp_icd.json',
]

/** For the environment of a process that shall find the software driver; null: there is none, and tests are skipped. */
export function softwareVulkan(): Record<string, string> | null {
  if (process.platform !== 'linux') return null
  const file = process.env['VK_ICD_FILENAMES'] ?? PLACES.find(existsSync)
  if (file === undefined) return null
  return { VK_ICD_FILENAMES: file, XDG_RUNTIME_DIR: process.env['XDG_RUNTIME_DIR'] ?? tmpdir() }
}
