/** The person's approvals, kept in the ledger: the hash of each driver, why it is quarantined, and its last known devices, which stay listed while the driver is not loaded. */
import { z } from 'zod'
import { hex64 } from '#shared/domain/bytes'
import { nativeDevice, type NativeDevice } from '#shared/domain/driver'
import { type Message, readStoredMessage, storedMessage } from '#shared/domain/messages'
import type { Ledger } from '../ledger'

export interface Approvals {
  /** SHA-256 of the library that was approved; null: none */
  hash(name: string): string | null
  /** why the driver is quarantined; null: it is not */
  quarantine(name: string): Message | null
  devices(name: string): NativeDevice[]
  approve(name: string, sha256: string): void
  /** `reason` null ends the quarantine */
  setQuarantine(name: string, reason: Message | null): void
  rememberDevices(name: string, devices: readonly NativeDevice[]): void
  forget(name: string): void
}

const SETTING = 'drivers'
const remembered = z.record(
  z.string(),
  z.object({ sha256: hex64, quarantine: z.string().optional(), devices: z.array(nativeDevice).optional() }),
)

export function openApprovals(ledger: Ledger): Approvals {
  const all = { ...ledger.setting(SETTING, remembered) }
  const change = (name: string, to: (before: (typeof all)[string]) => (typeof all)[string]): void => {
    const before = all[name]
    if (!before) return
    all[name] = to(before)
    ledger.saveSetting(SETTING, all)
  }
  return {
    hash: (name) => all[name]?.sha256 ?? null,
    quarantine: (name) => {
      const stored = all[name]?.quarantine
      return stored === undefined ? null : readStoredMessage(stored)
    },
    devices: (name) => all[name]?.devices ?? [],
    approve: (name, sha256) => {
      all[name] = { sha256 }
      ledger.saveSetting(SETTING, all)
    },
    setQuarantine: (name, reason) =>
      change(name, ({ quarantine: _former, ...rest }) =>
        reason === null ? rest : { ...rest, quarantine: storedMessage(reason) },
      ),
    rememberDevices: (name, devices) => change(name, (before) => ({ ...before, devices: [...devices] })),
    forget: (name) => {
      delete all[name]
      ledger.saveSetting(SETTING, all)
    },
  }
}
