/** What every screen needs: the link, the engine's status, devices and settings. Filled by `openStore`, read by `useStore`. */
import { create } from 'zustand'
import type { Result } from '#shared/contract/index'
import { Failure, toFailureValue } from '#shared/domain/errors'
import { client } from './client'
import type { LinkState } from './connect'
import { takeLive } from './live'

export interface Toast {
  id: number
  title: string
  detail: string
}

export interface Store {
  link: LinkState
  /** UTC ms of the last moment that the link was ready, null before the first */
  lastReadyAt: number | null
  status: Result<'engine.status'> | null
  devices: Result<'devices.list'> | null
  devicesFailure: Failure | null
  settings: Result<'settings.get'> | null
  /** why the first answers did not arrive */
  failure: Failure | null
  toasts: readonly Toast[]
}

export const useStore = create<Store>(() => ({
  link: 'connecting',
  lastReadyAt: null,
  status: null,
  devices: null,
  devicesFailure: null,
  settings: null,
  failure: null,
  toasts: [],
}))

/** Whether the engine can be asked to do something now. */
export function useLinked(): boolean {
  return useStore((state) => state.link) === 'ready'
}

let lastToast = 0

/** Shows a passing message at the bottom right. Errors on which the person must act are shown as notices instead. */
export function toast(title: string, detail = ''): void {
  const id = ++lastToast
  useStore.setState((state) => ({ toasts: [...state.toasts, { id, title, detail }] }))
}

export function dismissToast(id: number): void {
  useStore.setState((state) => ({ toasts: state.toasts.filter((one) => one.id !== id) }))
}

export function asFailure(error: unknown): Failure {
  return error instanceof Failure ? error : Failure.from(toFailureValue(error))
}

/** Connects and keeps the store current. Once a page. */
export function openStore(): void {
  client.watch((link) => {
    useStore.setState((state) => ({
      link,
      lastReadyAt: state.link === 'ready' || link === 'ready' ? Date.now() : state.lastReadyAt,
    }))
    if (link === 'ready') fill()
  })
  client.on('engine.status', (status) => useStore.setState({ status }))
  client.on('devices.changed', (devices) => useStore.setState({ devices }))
  client.on('settings.changed', (settings) => useStore.setState({ settings }))
  client.on('engine.live', takeLive)
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden && client.state === 'ready') fill()
  })
  client.open()
}

function fill(): void {
  // The state of the link reports its loss.
  const failedAs = (name: 'failure' | 'devicesFailure') => (error: unknown) => {
    const failure = asFailure(error)
    if (failure.code !== 'unavailable') useStore.setState({ [name]: failure })
  }
  client.call('engine.status', null).then((status) => useStore.setState({ status, failure: null }), failedAs('failure'))
  client
    .call('devices.list', null)
    .then((devices) => useStore.setState({ devices, devicesFailure: null }), failedAs('devicesFailure'))
  client.call('settings.get', null).then((settings) => useStore.setState({ settings }), failedAs('failure'))
}
