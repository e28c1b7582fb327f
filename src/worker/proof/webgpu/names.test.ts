import { expect, it } from 'vitest'
import { listedName } from './names'

const gpu = (vendor: string, name: string) => ({ vendor, name })
const rtx = gpu('NVIDIA', 'NVIDIA GeForce RTX 4070')
const rtxTi = gpu('NVIDIA', 'NVIDIA GeForce RTX 4070 Ti')
const iris = gpu('Intel Corporation', 'Alder Lake-P GT2 [Iris Xe Graphics]')
const arc = gpu('Intel Corporation', 'DG2 [Arc A770]')
const raphael = gpu('Advanced Micro Devices, Inc. [AMD/ATI]', 'Raphael')
const navi = gpu('Advanced Micro Devices, Inc. [AMD/ATI]', 'Navi 31 [Radeon RX 7900 XT/7900 XTX/7900 GRE/7900M]')
const unknown = gpu('', 'Unknown graphics processor')

const IRIS = 'Intel(R) Iris(R) Xe Graphics (ADL GT2)'
const ARC = 'Intel(R) Arc(tm) A770 Graphics (DG2)'
const NAVI = 'AMD Radeon RX 7900 XTX (RADV NAVI31)'
const RAPHAEL = 'AMD Ryzen 9 7950X 16-Core Processor (RADV RAPHAEL_MENDOCINO)'
const LLVMPIPE = 'llvmpipe (LLVM 22.1.8, 256 bits)'

it.each([
  ['its own name', rtx, [iris], [IRIS, rtx.name], rtx.name],
  ['its own name, also behind a longer one', rtx, [rtxTi], [rtxTi.name, rtx.name], rtx.name],
  ['the longer name', rtxTi, [rtx], [rtx.name, rtxTi.name], rtxTi.name],
  ['no longer name of another', rtx, [rtxTi], [rtxTi.name], null],
  ['the only one of its maker', iris, [rtx], [IRIS, rtx.name, LLVMPIPE], IRIS],
  ['the one with its model number', arc, [iris], [IRIS, ARC], ARC],
  ['the one with the same words', iris, [arc], [IRIS, ARC], IRIS],
  ["the one that the maker's other is not", navi, [raphael], [RAPHAEL, NAVI], NAVI],
  ['none where nothing is in common', raphael, [navi], [RAPHAEL, NAVI], null],
  ['none of several that fit alike', navi, [rtx], [NAVI, 'AMD Radeon RX 7900 XT (RADV NAVI31)'], null],
  ['none in software', navi, [rtx], [LLVMPIPE, rtx.name], null],
  ['none for one that nobody knows', unknown, [rtx], [IRIS, rtx.name], null],
])("WebGPU's list has %s", (_, wanted, others, listed, expected) => {
  expect(listedName(listed, wanted, others)).toBe(expected)
})
