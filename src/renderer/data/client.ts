/** The screens' client of the engine: calls with answers, and events only while somebody looks. */
import { createContractClient } from '#shared/contract/client'
import { Failure } from '#shared/domain/errors'
import { message } from '#shared/domain/messages'
import { connect, type Link, type LinkState } from './connect'

const watchers = new Set<(state: LinkState) => void>()
let link: Link | null = null
let linkState: LinkState = 'connecting'

const rpc = createContractClient({
  send: (message) => link?.send(message),
  unavailable: () => new Failure('unavailable', message('screen-engine-silent')),
})

function changeState(state: LinkState): void {
  linkState = state
  if (state === 'ready') rpc.connected()
  else rpc.disconnected()
  for (const watcher of watchers) watcher(state)
}

export const client = {
  /** Opens the one link of this page. A hidden window asks for no events. */
  open(): void {
    const followVisibility = (): void => rpc.setListening(!document.hidden)
    followVisibility()
    document.addEventListener('visibilitychange', followVisibility)
    link = connect({ state: changeState, message: (message) => rpc.receive(message) })
  },
  get state(): LinkState {
    return linkState
  },
  /** Called on every change of the link; returns how to stop. */
  watch(watcher: (state: LinkState) => void): () => void {
    watchers.add(watcher)
    return () => watchers.delete(watcher)
  },
  call: rpc.call,
  on: rpc.on,
}
