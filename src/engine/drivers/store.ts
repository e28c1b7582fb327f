/** The folder of added drivers: each in a folder of its own with its manifest and its library. A driver is copied completely or not at all. */
import { createHash } from 'node:crypto'
import { createReadStream, readdirSync, readFileSync, statSync } from 'node:fs'
import { chmod, copyFile, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { DRIVER_ABI, DRIVER_MANIFEST, driverManifest, type DriverManifest } from '#shared/domain/driver'
import { describeParseError, Failure } from '#shared/domain/errors'
import { message } from '#shared/domain/messages'

export interface PlacedDriver {
  manifest: DriverManifest
  /** absolute path of the library */
  library: string
}

export const PLATFORM = `${process.platform}-${process.arch}`
const UNFINISHED = '.unfinished'
const MOST_MANIFEST_BYTES = 64 * 1024

/** The added drivers, by name. A folder whose manifest cannot be read is no driver. */
export function readDrivers(folder: string): PlacedDriver[] {
  if (statSync(folder, { throwIfNoEntry: false }) === undefined) return []
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .flatMap((entry) => {
      try {
        const text = readFileSync(join(folder, entry.name, DRIVER_MANIFEST), 'utf8')
        const manifest = driverManifest.parse(JSON.parse(text))
        return manifest.name === entry.name ? [{ manifest, library: join(folder, entry.name, manifest.file) }] : []
      } catch {
        return []
      }
    })
    .toSorted((one, other) => (one.manifest.name < other.manifest.name ? -1 : 1))
}

/** Reads a driver outside the store, from its folder or its manifest. Throws a Failure that says what does not fit this computer. */
export async function inspectDriver(path: string): Promise<PlacedDriver> {
  const absolute = resolve(path)
  const file = basename(absolute) === DRIVER_MANIFEST ? absolute : join(absolute, DRIVER_MANIFEST)
  const manifest = parseManifest(await readManifest(file), file)
  if (manifest.abi !== DRIVER_ABI) {
    throw new Failure(
      'invalid-input',
      message('driver-other-interface', { driver: manifest.name, version: manifest.abi, own: DRIVER_ABI }),
    )
  }
  if (!manifest.platforms.includes(PLATFORM)) {
    throw new Failure(
      'invalid-input',
      message('driver-made-for', {
        driver: manifest.name,
        platforms: manifest.platforms,
        platform: PLATFORM,
      }),
    )
  }
  const library = join(dirname(file), manifest.file)
  const found = await hashOf(library)
  if (found === null) {
    throw new Failure(
      'not-found',
      message('driver-library-missing', { file: manifest.file, driver: manifest.name, folder: dirname(file) }),
    )
  }
  if (found !== manifest.sha256) throw wrongHash(manifest, found)
  return { manifest, library }
}

/** Copies a driver that was inspected. Throws Failure `conflict` where there is one of that name. */
export async function placeDriver(folder: string, { manifest, library }: PlacedDriver): Promise<PlacedDriver> {
  const target = join(folder, manifest.name)
  if (statSync(target, { throwIfNoEntry: false }) !== undefined) {
    throw new Failure('conflict', message('driver-named-already', { driver: manifest.name }))
  }
  const unfinished = join(folder, UNFINISHED)
  await rm(unfinished, { recursive: true, force: true })
  await mkdir(unfinished, { recursive: true, mode: 0o700 })
  try {
    const copy = join(unfinished, manifest.file)
    await copyFile(library, copy)
    await chmod(copy, 0o600)
    // the hash of the copy: the original may have changed after the person approved it
    const found = await hashOf(copy)
    if (found !== manifest.sha256) throw wrongHash(manifest, found ?? 'none')
    await writeFile(join(unfinished, DRIVER_MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`)
    await rename(unfinished, target)
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true })
    if (error instanceof Failure) throw error
    throw new Failure('data-folder', message('driver-not-copied', { words: String(error), folder }))
  }
  return { manifest, library: join(target, manifest.file) }
}

/** Removes the folder of a driver. */
export async function removeDriver(folder: string, name: string): Promise<void> {
  await rm(join(folder, name), { recursive: true, force: true })
}

/** SHA-256 of a file, hex; null where it cannot be read. */
export async function hashOf(file: string): Promise<string | null> {
  const hash = createHash('sha256')
  try {
    for await (const part of createReadStream(file, { highWaterMark: 1024 ** 2 })) hash.update(part as Buffer)
  } catch {
    return null
  }
  return hash.digest('hex')
}

async function readManifest(file: string): Promise<string> {
  try {
    if ((await stat(file)).size > MOST_MANIFEST_BYTES)
      throw new Failure('invalid-input', message('driver-manifest-too-large', { file }))
    return await readFile(file, 'utf8')
  } catch (error) {
    if (error instanceof Failure) throw error
    throw new Failure('not-found', message('driver-no-manifest', { manifest: DRIVER_MANIFEST, file }))
  }
}

function parseManifest(text: string, file: string): DriverManifest {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new Failure('invalid-input', message('driver-manifest-not-json', { file }))
  }
  const parsed = driverManifest.safeParse(value)
  if (parsed.success) return parsed.data
  throw new Failure(
    'invalid-input',
    message('driver-manifest-wrong', { file, fault: describeParseError(parsed.error) }),
  )
}

function wrongHash(manifest: DriverManifest, found: string): Failure {
  return new Failure(
    'invalid-input',
    message('driver-wrong-hash', { driver: manifest.name, found, sha256: manifest.sha256 }),
  )
}
