import { describe, expect, it } from 'vitest'
import { Failure } from '#shared/domain/errors'
import { foreignWords } from '#shared/domain/messages'
import { createContractClient } from './client'
import type { ClientMessage } from './rpc'

const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0))
const token = { id: 'a', text: 'word', index: 0 }

function setUp() {
  const sent: ClientMessage[] = []
  const client = createContractClient({
    send: (message) => sent.push(message),
    unavailable: () => new Failure('unavailable', foreignWords('gone')),
  })
  return { sent, client }
}

const codeOf = async (call: Promise<unknown>): Promise<string> => {
  try {
    await call
    return 'answered'
  } catch (error) {
    return error instanceof Failure ? error.code : 'no failure'
  }
}

describe('a call', () => {
  it('gets the answer of its own id, in whatever order answers come', async () => {
    const { client, sent } = setUp()
    client.connected()
    const first = client.call('models.downloads', null)
    const second = client.call('devices.list', null)
    const [one, two] = sent.map((message) => (message.type === 'request' ? message : null))
    expect([one?.method, two?.method]).toEqual(['models.downloads', 'devices.list'])
    client.receive({ type: 'answer', id: two?.id ?? -1, result: [] })
    client.receive({
      type: 'failure',
      id: one?.id ?? -1,
      error: new Failure('wrong-usage', foreignWords('no')).toValue(),
    })
    expect(await second).toEqual([])
    expect(await codeOf(first)).toBe('wrong-usage')
  })

  it('is refused without a connection, and when the connection goes', async () => {
    const { client, sent } = setUp()
    expect(await codeOf(client.call('devices.list', null))).toBe('unavailable')
    client.connected()
    const open = client.call('devices.list', null)
    client.disconnected()
    expect(await codeOf(open)).toBe('unavailable')
    expect(await codeOf(client.call('devices.list', null))).toBe('unavailable')
    expect(sent).toHaveLength(1)
  })

  it('is not answered by what breaks the contract', async () => {
    const { client } = setUp()
    client.connected()
    const call = client.call('devices.list', null)
    client.receive({ type: 'answer', id: 1, result: 'not a list' })
    await expect(call).rejects.toThrow("the engine's answer to devices.list was not understood")
  })
})

describe('events', () => {
  it('are asked for once a turn, before the call that may set them off', async () => {
    const { client, sent } = setUp()
    client.connected()
    client.on('job.token', () => undefined)
    client.on('devices.changed', () => undefined)
    const open = client.call('devices.list', null)
    await turn()
    expect(sent).toEqual([
      { type: 'subscribe', events: ['job.token', 'devices.changed'] },
      { type: 'request', id: 1, method: 'devices.list', params: null },
    ])
    client.disconnected()
    await codeOf(open)
  })

  it('reach their listeners until these stop; what is malformed or unknown reaches none', async () => {
    const { client, sent } = setUp()
    const heard: string[] = []
    client.connected()
    const stop = client.on('job.token', ({ text }) => heard.push(text))
    client.receive({ type: 'event', event: 'job.token', data: token })
    client.receive({ type: 'event', event: 'job.token', data: { text: 7 } })
    client.receive({ type: 'event', event: 'toString', data: token })
    await turn()
    stop()
    client.receive({ type: 'event', event: 'job.token', data: token })
    await turn()
    expect(heard).toEqual(['word'])
    expect(sent).toEqual([
      { type: 'subscribe', events: ['job.token'] },
      { type: 'subscribe', events: [] },
    ])
  })

  it('are asked for again on the next connection, and not while nobody listens', async () => {
    const { client, sent } = setUp()
    client.on('job.token', () => undefined)
    await turn()
    expect(sent).toEqual([])
    client.connected()
    await turn()
    client.setListening(false)
    await turn()
    client.disconnected()
    client.connected()
    client.setListening(true)
    await turn()
    expect(sent.map((message) => message.type === 'subscribe' && message.events)).toEqual([
      ['job.token'],
      [],
      ['job.token'],
    ])
  })
})
