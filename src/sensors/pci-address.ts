/** "01:00.0", "0000:01:00.0" and "00000000:01:00.0" are the same address: the second; undefined where it is none. */
export function fullPciAddress(address: string | undefined): string | undefined {
  const match = /^(?:([0-9a-f]+):)?([0-9a-f]{2}:[0-9a-f]{2}\.[0-9a-f])$/i.exec(address?.trim() ?? '')
  return match ? `${(match[1] ?? '').slice(-4).padStart(4, '0')}:${match[2] ?? ''}`.toLowerCase() : undefined
}
