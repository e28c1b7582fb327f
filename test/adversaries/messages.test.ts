import { expect, it } from 'vitest'
import { DEFAULT_BUDGETS } from '#coordinator/budgets'
import { helloBody } from '#shared/protocol/hello'
import { MAX_DEVICES } from '#shared/protocol/bounds'
import { rigProtocol } from '#shared/protocol/rig-session'
import { codeOf, MODELS } from '../support/coordinator-harness'
import { openSerialized } from '../support/sessions'
import { createAdversary, helloOf, openNetwork, STRANGERS } from './adversary'

/** Characters for two of the messages of a test, and patience for two refusals. */
async function openScarce(characters: number) {
  const rig = { ...DEFAULT_BUDGETS.rig, characters: { aMinute: characters, atOnce: 2 * characters } }
  const budgets = { ...DEFAULT_BUDGETS, rig, patience: { aMinute: 0, atOnce: 2 } }
  const network = await openNetwork({ ...STRANGERS, budgets })
  const adversary = createAdversary(network)
  return { network, adversary, session: openSerialized(rigProtocol, network.coordinator.rigSession(adversary.key)) }
}

it('a request with 100,000 models is refused by its bound, the third one unread, and who goes on is paused', async () => {
  const { network, adversary, session } = await openScarce(16 * 1024 * 1024)
  const models = Array.from({ length: 100_000 }, () => MODELS.embed)
  const codes: string[] = []
  for (let times = 0; times < 4; times++) codes.push(codeOf(await session.leaseJob({ models, samples: true })))
  expect(codes).toEqual(['malformed', 'malformed', 'over-budget', 'over-budget'])
  const paused = await session.leaseJob({ models, samples: true })
  expect(paused).toMatchObject({ refusal: { message: expect.stringContaining('it is paused') as string } })
  // Small requests are paused with it, others' are not.
  expect(codeOf(await session.leaseJob({ models: [], samples: false }))).toBe('over-budget')
  expect(codeOf(await createAdversary(network, 'honest').lease(['embed']))).toBe('accepted')
  network.clock.advance(DEFAULT_BUDGETS.pauseSeconds * 1000)
  expect(codeOf(await session.leaseJob({ models: [], samples: false }))).toBe('no-work')
  expect([network.receipts(adversary.key), adversary.gain()]).toEqual([0, 0])
})

it('a hello with 200,000 devices is refused by its bound, the third one unread', async () => {
  const { network, adversary, session } = await openScarce(12 * 1024 * 1024)
  const devicesOf = (count: number) =>
    Array.from({ length: count }, () => ({ id: 'cpu0', kind: 'cpu', backends: ['native'] }))
  const hello = (count: number) => helloOf(network, 'adversary', { devices: devicesOf(count) })
  expect(helloBody.safeParse((await hello(MAX_DEVICES)).body).success).toBe(true)
  expect(codeOf(await session.hello(await hello(MAX_DEVICES)))).toBe('accepted')
  // It is not signed: nobody comes as far as its signature.
  const small = await hello(1)
  const large = { ...small, body: { ...small.body, devices: devicesOf(200_000) } }
  const codes: string[] = []
  for (let times = 0; times < 3; times++) codes.push(codeOf(await session.hello(large)))
  expect(codes).toEqual(['malformed', 'malformed', 'over-budget'])
  expect(adversary.gain()).toBe(0)
})
