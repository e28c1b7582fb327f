/** How the screens reach the engine: a MessagePort in the desktop window, else a WebSocket to where the page came from. */
import { serverMessage, type ClientMessage, type ServerMessage } from '#shared/contract/rpc'

declare global {
  interface Window {
    /** put there by the desktop's preload; asks the shell for a port to the engine */
    lode?: {
      connect(): void
      /** the path of a file that somebody chose or dropped; empty where it has none */
      pathOf(file: File): string
    }
  }
}

/**
 * `connecting`: not answered yet. `ready`: messages flow. `lost`: the engine stopped answering, tries go on.
 * `refused`: no token, or a wrong one; trying again cannot help.
 */
export type LinkState = 'connecting' | 'ready' | 'lost' | 'refused'

export interface LinkEvents {
  state(state: LinkState): void
  message(message: ServerMessage): void
}
export interface Link {
  /** A message sent while the link is not ready is dropped; the client subscribes again once the link is ready. */
  send(message: ClientMessage): void
  close(): void
}

const TOKEN_KEY = 'lode-token'
/** Not src/process/backoff.ts, which a page cannot import: a person waits here, so the delays stay short and no circuit opens. */
const FIRST_RETRY_MILLISECONDS = 500
const LONGEST_RETRY_MILLISECONDS = 15_000
/** Close codes by which a server says "not with this token": 1008 policy violation, and the application's own. */
const REFUSAL_CODES: readonly number[] = [1008, 4001, 4003, 4401, 4403]

/** Opens the one link of this page. `events` are called until `close`. */
export function connect(events: LinkEvents): Link {
  return window.lode ? connectPort(window.lode, events) : connectSocket(events)
}

/** The token from `#token=…`, moved to this tab's storage and out of the address bar. Null when there is none. */
export function takeToken(): string | null {
  const found = /^#token=(.+)$/.exec(window.location.hash)?.[1]
  if (found !== undefined) {
    sessionStorage.setItem(TOKEN_KEY, decodeURIComponent(found))
    window.history.replaceState(null, '', `${window.location.pathname}${window.location.search}`)
  }
  return sessionStorage.getItem(TOKEN_KEY)
}

/** What this tab is let in with, for requests beside the socket; null in the window, which needs none. */
export function sessionToken(): string | null {
  return sessionStorage.getItem(TOKEN_KEY)
}

function connectPort(bridge: { connect(): void }, events: LinkEvents): Link {
  let port: MessagePort | null = null
  // A new engine process brings a new port by the same message; the old one is dropped.
  const adopt = (event: MessageEvent): void => {
    if (event.source !== window || event.origin !== window.location.origin) return
    // Ports of older Chromium have no close event of their own.
    if (event.data === 'lode:port-closed') return events.state('lost')
    const next = event.ports[0]
    if (event.data !== 'lode:port' || !next) return
    port?.close()
    port = next
    next.addEventListener('message', (message) => deliver(message.data, events))
    next.addEventListener('close', () => {
      if (port === next) events.state('lost')
    })
    next.start()
    events.state('ready')
  }
  window.addEventListener('message', adopt)
  events.state('connecting')
  bridge.connect()
  return {
    send: (message) => port?.postMessage(message),
    close() {
      window.removeEventListener('message', adopt)
      port?.close()
    },
  }
}

function connectSocket(events: LinkEvents): Link {
  const token = takeToken()
  if (token === null) {
    // A person who opens the link in this same tab changes only the fragment: start again with it.
    window.addEventListener('hashchange', () => window.location.reload(), { once: true })
    queueMicrotask(() => events.state('refused'))
    return { send: () => undefined, close: () => undefined }
  }
  let socket: WebSocket | null = null
  let ready = false
  let closed = false
  let retryMilliseconds = FIRST_RETRY_MILLISECONDS
  let timer: ReturnType<typeof setTimeout> | undefined

  const refuse = (): void => {
    closed = true
    socket?.close()
    sessionStorage.removeItem(TOKEN_KEY)
    window.addEventListener('hashchange', () => window.location.reload(), { once: true })
    events.state('refused')
  }
  const open = (): void => {
    const scheme = window.location.protocol === 'https:' ? 'wss' : 'ws'
    const next = new WebSocket(`${scheme}://${window.location.host}/ws`)
    socket = next
    next.addEventListener('open', () => next.send(JSON.stringify({ type: 'auth', token })))
    next.addEventListener('message', (event) => {
      const message = deliver(parseJson(event.data), ready ? events : { ...events, message: () => undefined })
      if (message?.type === 'ready') {
        ready = true
        retryMilliseconds = FIRST_RETRY_MILLISECONDS
        events.state('ready')
      }
      if (message?.type === 'failure' && message.id === null && message.error.code === 'unauthorized') refuse()
    })
    next.addEventListener('close', (event) => {
      if (closed) return
      if (REFUSAL_CODES.includes(event.code)) return refuse()
      ready = false
      events.state('lost')
      timer = setTimeout(open, retryMilliseconds * (0.75 + Math.random() / 2))
      retryMilliseconds = Math.min(retryMilliseconds * 2, LONGEST_RETRY_MILLISECONDS)
    })
  }
  // A token that comes later (the link opened again in this tab) replaces the present one.
  window.addEventListener('hashchange', () => {
    if (window.location.hash.startsWith('#token=')) window.location.reload()
  })
  events.state('connecting')
  open()
  return {
    send(message) {
      if (ready && socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message))
    },
    close() {
      closed = true
      clearTimeout(timer)
      socket?.close()
    },
  }
}

function parseJson(data: unknown): unknown {
  if (typeof data !== 'string') return null
  try {
    return JSON.parse(data)
  } catch {
    return null
  }
}

/** Passes on what the contract knows; anything else is not for this version and is left. */
function deliver(data: unknown, events: LinkEvents): ServerMessage | null {
  const parsed = serverMessage.safeParse(data)
  if (!parsed.success) return null
  events.message(parsed.data)
  return parsed.data
}
