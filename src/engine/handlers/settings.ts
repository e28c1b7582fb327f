import { arch, platform, release } from 'node:os'
import type { TrustItem } from '#shared/contract/settings'
import type { Handlers } from '#shared/contract/index'
import { checkAddress, lastSix } from '#shared/domain/address'
import { Failure } from '#shared/domain/errors'
import { message } from '#shared/domain/messages'
import type { EngineContext } from '../context'
import { programTrust } from './trust'

export function settingsHandlers(
  context: EngineContext,
): Pick<
  Handlers,
  'settings.get' | 'settings.set' | 'address.check' | 'address.show' | 'address.set' | 'address.history' | 'about.get'
> {
  const { settings, ledger, events, clock, mining, library } = context
  return {
    'settings.get': async () => settings.current,
    'settings.set': async (patch) => {
      const next = settings.change(patch)
      if (patch.practiceKeepGoing !== undefined) mining.keepGoing(patch.practiceKeepGoing)
      if (patch.fetchModels === false) await library.stopDefaults()
      if (patch.fetchModels === true && mining.state === 'mining') await library.fetchDefaults()
      events.emit('settings.changed', next)
      return next
    },
    'address.check': async ({ address }) => checkAddress(address),
    'address.show': async () => ledger.address(),
    'address.set': async ({ address, confirm }) => {
      const check = checkAddress(address)
      if (!check.ok || check.normalized === null || check.type === null) {
        const wrong = check.checks.find(({ ok }) => !ok)
        throw new Failure(
          'address-refused',
          wrong === undefined ? message('address-unknown') : message('address-wrong', { reason: wrong.words }),
        )
      }
      if (confirm !== lastSix(check.normalized)) {
        throw new Failure('address-refused', message('address-not-confirmed'))
      }
      // Practice pays nothing, so no cool-down is needed: the address is effective at once.
      const payout = { address: check.normalized, type: check.type, effectiveAt: new Date(clock.now()).toISOString() }
      ledger.setAddress(payout)
      ledger.recordEvent({
        severity: 'info',
        words: message('address-set', { address: payout.address }),
      })
      return payout
    },
    'address.history': async () => ledger.addressHistory(),
    'about.get': async () => ({
      version: context.version,
      dataDir: context.dataDir,
      logFile: context.logFile,
      nodeVersion: process.versions.node,
      platform: `${platform()} ${release()}, ${arch()}`,
      sendsOut: [
        'Of you and your work: nothing. The practice network runs inside this program, and the page is served to this computer only.',
        ...fetchSentences(context),
      ],
      trust: [...(await programTrust(context.version)), ...driverTrust(context), ...modelTrust(context)],
    }),
  }
}

/** Sentences about downloads: fetching a model is the only thing that leaves the computer, as a request for a file. */
function fetchSentences({ library, downloads }: EngineContext): string[] {
  const { allowed, models } = library.plan()
  const names = models.map(({ name }) => name).join(' and ')
  const running = downloads.list().filter(({ state }) => state === 'fetching')
  return [
    'A model that you get from the catalogue, or that mining fetches, is asked for at huggingface.co, else through the package client of Python on this computer. The request names the file and nothing else; its answer is checked by SHA-256.',
    ...running.map(({ name, source }) => `Now: ${name}${source === null ? '' : ` from ${source}`}.`),
    ...(!allowed
      ? ['Mining fetches nothing by itself: that is switched off.']
      : names === ''
        ? []
        : [`When mining starts it fetches ${names} by itself, unless you switch that off.`]),
  ]
}

function driverTrust({ drivers }: EngineContext): TrustItem[] {
  return drivers.list().map(({ name, version, sha256, vendor, licence }) => ({
    name,
    kind: 'driver' as const,
    version,
    sha256,
    origin: `added by you, from ${vendor}`,
    licence,
  }))
}

function modelTrust({ models }: EngineContext): TrustItem[] {
  return models.list().map((model) => ({
    name: model.name,
    kind: 'model' as const,
    version: model.id,
    sha256: model.hash,
    origin: model.source,
    licence: model.licence,
  }))
}
