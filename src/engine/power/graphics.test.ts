import { describe, expect, it } from 'vitest'
import { cleanGraphicsName, estimateGraphics, readGraphicsTable } from './graphics'

const table = readGraphicsTable()
const NVIDIA = 'NVIDIA Corporation'
const AMD = 'Advanced Micro Devices, Inc. [AMD/ATI]'

describe('the table of graphics cards', () => {
  it.each([
    [NVIDIA, 'NVIDIA GeForce RTX 4070', 200],
    [NVIDIA, 'AD104 [GeForce RTX 4070]', 200],
    [NVIDIA, 'GA104 [GeForce RTX 3070 Lite Hash Rate]', 220],
    [NVIDIA, 'NVIDIA GeForce GTX 1060 6GB', 120],
    [NVIDIA, 'NVIDIA A100-SXM4-80GB', 400],
    [AMD, 'AMD Radeon RX 7900 XTX', 355],
    [AMD, 'AMD Radeon(TM) RX 6600', 132],
    ['Intel Corporation', 'Intel(R) Arc(TM) A770 Graphics', 225],
    ['Intel Corporation', 'DG2 [Arc A380]', 75],
    ['Intel Corporation', 'Battlemage G21 [Arc B580]', 190],
  ])('%s: %s', (vendor, name, watts) =>
    expect(estimateGraphics(table, { vendor, name }, 1)).toMatchObject({ watts, certainty: 'estimated' }),
  )

  it.each([
    [NVIDIA, 'NVIDIA GeForce RTX 4070 Laptop GPU'],
    [NVIDIA, 'AD107M [GeForce RTX 4060 Max-Q / Mobile]'],
    [AMD, 'Navi 31 [Radeon RX 7900 XT/7900 XTX/7900 GRE/7900M]'],
    [AMD, 'Radeon Graphics'],
    ['Apple', 'Apple M2'],
    // another maker's card of the same name
    ['Somebody', 'GeForce RTX 4070'],
  ])('does not know %s: %s, and says so', (vendor, name) =>
    expect(estimateGraphics(table, { vendor, name }, 1)).toEqual({
      source: `no power sensor, and ${cleanGraphicsName(name)} is not in the table of graphics cards`,
    }),
  )

  it('scales by load, says from what, and invents nothing for a card at rest', () => {
    const card = { vendor: NVIDIA, name: 'NVIDIA GeForce GTX 1050 Ti' }
    expect(estimateGraphics(table, card, 0.5)).toEqual({
      watts: 37.5,
      certainty: 'estimated',
      source: 'NVIDIA specifications, GeForce 10 and 16 series: GeForce GTX 1050 Ti, graphics card power 75 W × load',
    })
    for (const load of [0, undefined]) {
      const found = estimateGraphics(table, card, load)
      expect(found.watts).toBeUndefined()
      expect(found.source).toMatch(/^no power sensor; while it works by NVIDIA specifications/)
    }
  })

  it('names every card once, with its maker’s page', () => {
    const rows = table.groups.flatMap(({ vendor, url, cards }) => cards.map((card) => ({ ...card, vendor, url })))
    const names = rows.map(({ pattern }) => pattern.replace(/\(([^)|]*)[^)]*\)\??/g, '$1'))
    const ambiguous = names.filter(
      (name) => rows.filter(({ pattern }) => new RegExp(`^(${pattern})$`, 'i').test(name)).length !== 1,
    )
    expect(ambiguous).toEqual([])
    const hosts = { NVIDIA: 'www.nvidia.com', AMD: 'www.amd.com', Intel: 'www.intel.com' }
    expect(rows.every(({ vendor, url }) => new URL(url).host === hosts[vendor])).toBe(true)
    expect(rows.length).toBeGreaterThan(80)
  })
})
