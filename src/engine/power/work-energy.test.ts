import { expect, test } from 'vitest'
import { workEnergy } from '#shared/domain/energy'
import { energyBetween, energyMarkPast } from './work-energy'

test('what another piece of work spent is left out, what was spent before and after it stays', () => {
  // Proof from 100 J on; a job from 150 J (30 J measured) to 170 J (40 J measured); the share is found at 200 J (60 J measured).
  const mark = workEnergy(100, 20)
  const moved = energyMarkPast(mark, workEnergy(150, 30), workEnergy(170, 40))
  const share = energyBetween(moved, workEnergy(200, 60, 'a meter'))
  expect(share?.joules).toBeCloseTo(80)
  expect((share?.joules ?? 0) * (share?.measuredShare ?? 0)).toBeCloseTo(30)
  expect(share?.source).toBe('a meter')
})

test('where the other work is not known, only what follows it counts', () => {
  expect(energyMarkPast(workEnergy(100, 0), null, workEnergy(170, 0))?.joules).toBe(170)
  expect(energyMarkPast(null, workEnergy(150, 0), workEnergy(170, 0))?.joules).toBe(170)
  expect(energyMarkPast(workEnergy(100, 0), workEnergy(150, 0), null)).toBeNull()
})
