import { expect, it } from 'vitest'
import { mayOpenOutside } from './external-links'

it.each(['https://huggingface.co/org/model', 'https://github.com/', 'https://www.apache.org/licenses/LICENSE-2.0'])(
  'opens %s',
  (address) => {
    expect(mayOpenOutside(address)).toBe(true)
  },
)

it.each([
  'http://huggingface.co/',
  'https://huggingface.co.example/',
  'https://example.org/',
  'https://huggingface.co:8443/',
  'https://user@huggingface.co/',
  'https://huggingface.co@example.org/',
  'file:///etc/passwd',
  'javascript:alert(1)',
  'not an address',
])('keeps %s closed', (address) => {
  expect(mayOpenOutside(address)).toBe(false)
})
