/** The client of the contract, over any transport: a MessagePort or WebSocket of the screens, a WebSocket of the command, or the same process. */
import { describeParseError, Failure } from '#shared/domain/errors'
import { message } from '#shared/domain/messages'
import { events, procedures, type EventData, type EventName, type MethodName, type Params, type Result } from './index'
import type { ClientMessage, ServerMessage } from './rpc'

export interface ContractClientOptions {
  /** Carries one message to the engine. Called only between `connected` and `disconnected`. */
  send(message: ClientMessage): void
  /** the failure of calls while there is no connection */
  unavailable(): Failure
}

export interface ContractClient {
  /** Calls a procedure of the engine. Rejects with the engine's Failure, `unavailable` without a connection, `internal` for an answer that breaks the contract. */
  call<M extends MethodName>(method: M, params: Params<M>): Promise<Result<M>>
  /** Subscribes to an event, also on connections that come later. Returns how to stop. */
  on<E extends EventName>(event: E, listener: (data: EventData<E>) => void): () => void
  /** Whether the engine is asked for events at all; it is from the start. */
  setListening(isListening: boolean): void
  /** Called by the transport when a message came. */
  receive(message: ServerMessage): void
  /** Called by the transport when the connection is open. */
  connected(): void
  /** Called by the transport when the connection is lost: open calls are rejected. */
  disconnected(): void
}

interface OpenCall {
  method: MethodName
  resolve(result: unknown): void
  reject(failure: Failure): void
}

/** A client that is not connected yet. */
export function createContractClient({ send, unavailable }: ContractClientOptions): ContractClient {
  const calls = new Map<number, OpenCall>()
  const listeners = new Map<EventName, Set<(data: never) => void>>()
  let lastId = 0
  let isConnected = false
  let isListening = true
  /** the events that the engine was last asked for on this connection */
  let subscribed = ''
  let isSubscribeDue = false

  const subscribe = (): void => {
    isSubscribeDue = false
    if (!isConnected) return
    const wanted = isListening ? [...listeners].flatMap(([event, set]) => (set.size > 0 ? [event] : [])) : []
    if (wanted.join() === subscribed) return
    subscribed = wanted.join()
    send({ type: 'subscribe', events: wanted })
  }
  /** Sends one message for all changes of this turn. */
  const subscribeSoon = (): void => {
    if (isSubscribeDue) return
    isSubscribeDue = true
    void Promise.resolve().then(() => isSubscribeDue && subscribe())
  }
  const takeEvent = (name: string, data: unknown): void => {
    if (!Object.hasOwn(events, name)) return
    const event = name as EventName
    const parsed = events[event].safeParse(data)
    if (!parsed.success) return
    for (const listener of listeners.get(event) ?? []) listener(parsed.data as never)
  }
  const takeAnswer = ({ method, resolve, reject }: OpenCall, result: unknown): void => {
    const parsed = procedures[method].output.safeParse(result)
    if (parsed.success) return resolve(parsed.data)
    reject(
      new Failure('internal', message('answer-not-understood', { method, fault: describeParseError(parsed.error) })),
    )
  }

  return {
    call: <M extends MethodName>(method: M, params: Params<M>) =>
      new Promise<Result<M>>((resolve, reject) => {
        if (!isConnected) return reject(unavailable())
        // The call may cause events that were requested just before: the subscription must be sent first.
        if (isSubscribeDue) subscribe()
        const id = ++lastId
        calls.set(id, { method, resolve: resolve as (result: unknown) => void, reject })
        send({ type: 'request', id, method, params })
      }),
    on: (event, listener) => {
      const set = listeners.get(event) ?? new Set()
      listeners.set(event, set.add(listener as (data: never) => void))
      subscribeSoon()
      return () => {
        set.delete(listener as (data: never) => void)
        subscribeSoon()
      }
    },
    setListening: (value) => {
      isListening = value
      subscribeSoon()
    },
    receive: (message) => {
      if (message.type === 'event') return takeEvent(message.event, message.data)
      if (message.type === 'ready' || message.id === null) return
      const call = calls.get(message.id)
      if (!call) return
      calls.delete(message.id)
      if (message.type === 'failure') call.reject(Failure.from(message.error))
      else takeAnswer(call, message.result)
    },
    connected: () => {
      isConnected = true
      subscribed = ''
      subscribeSoon()
    },
    disconnected: () => {
      isConnected = false
      const open = [...calls.values()]
      calls.clear()
      for (const { reject } of open) reject(unavailable())
    },
  }
}
