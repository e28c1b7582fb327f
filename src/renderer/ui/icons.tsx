/** The one icon set, drawn for Lode on a 16 px grid. Decorative: the word stands beside it or in the control's label. */
const STROKES = {
  home: 'M2.5 9.5a5.5 5.5 0 0 1 11 0M8 9.5 10.6 6M2.5 12.5h11',
  devices:
    'M5 4h6a1 1 0 0 1 1 1v6a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1V5a1 1 0 0 1 1-1zM6 1.8V4M10 1.8V4M6 12v2.2M10 12v2.2M1.8 6H4M1.8 10H4M12 6h2.2M12 10h2.2',
  jobs: 'M5.5 4H14M5.5 8H14M5.5 12H14M2.2 4h.01M2.2 8h.01M2.2 12h.01',
  models: 'M8 1.8 14 5 8 8.2 2 5zM2 8l6 3.2L14 8M2 11l6 3.2 6-3.2',
  earnings: 'M2 13.5h12M3.5 13.5V9.8M6.5 13.5V7.4M9.5 13.5V5M12.5 13.5V2.5',
  settings:
    'M2 4.5h6.5M12 4.5h2M2 11.5h2M7.5 11.5H14M11.9 4.5a1.7 1.7 0 1 1-3.4 0 1.7 1.7 0 0 1 3.4 0zM7.4 11.5a1.7 1.7 0 1 1-3.4 0 1.7 1.7 0 0 1 3.4 0z',
  check: 'm3 8.5 3.2 3.2L13 4.8',
  down: 'm4 6 4 4 4-4',
  info: 'M13.7 8A5.7 5.7 0 1 1 2.3 8a5.7 5.7 0 0 1 11.4 0zM8 7.5v3.3M8 5.2h.01',
  clock: 'M13.7 8A5.7 5.7 0 1 1 2.3 8a5.7 5.7 0 0 1 11.4 0zM8 4.8V8l2.2 1.5',
  close: 'm4 4 8 8M12 4l-8 8',
  copy: 'M6 6h7.5v7.5H6zM10 6V2.5H2.5V10H6',
  export: 'M8 10V2M4.8 5 8 1.8 11.2 5M2.5 10v3.5h11V10',
  image: 'M2.5 2.5h11v11h-11zM3 11.5l3-3.2 2.5 2.4 1.8-1.8L13 11.5M6.4 5.9a.9.9 0 1 1-1.8 0 .9.9 0 0 1 1.8 0z',
  lock: 'M3.5 7h9v6.5h-9zM5.5 7V5a2.5 2.5 0 0 1 5 0v2',
  minus: 'M3.5 8h9',
  plus: 'M8 3.5v9M3.5 8h9',
  refresh: 'M13 5.5A5.5 5.5 0 1 0 13.5 9M13.5 2.5v3.2h-3.2',
  search: 'M11.2 7A4.2 4.2 0 1 1 2.8 7a4.2 4.2 0 0 1 8.4 0zM10.2 10.2l3.3 3.3',
} as const
const FILLS = {
  play: 'M4.5 2.5 13 8l-8.5 5.5z',
  stop: 'M3 3h10v10H3z',
  disc: 'M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0z',
  pause: 'M4 3h3v10H4zM9 3h3v10H9z',
  warning: 'M8 1.5 15.2 14H.8zM7.2 6v4h1.6V6zm0 5.2v1.5h1.6v-1.5z',
  error: 'M5.1 1h5.8L15 5.1v5.8L10.9 15H5.1L1 10.9V5.1zM7.2 4v5h1.6V4zm0 6.3V12h1.6v-1.7z',
  ring: 'M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zm0 2.2a3.8 3.8 0 1 1 0 7.6 3.8 3.8 0 0 1 0-7.6z',
  running: 'M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zm0 2.2V8h3.8A3.8 3.8 0 1 1 8 4.2z',
  sent: 'M8 2 14 8l-6 6V9.5H2v-3h6z',
  returned: 'M8 2 2 8l6 6V9.5h6v-3H8z',
  square: 'M2 2h12v12H2z',
  triangle: 'M8 2.5 14.5 13.5h-13z',
  dash: 'M3 7h10v2H3z',
} as const

export type IconName = keyof typeof STROKES | keyof typeof FILLS

/** `small`: 12 px instead of 16. */
export function Icon({ name, small = false, className = '' }: { name: IconName; small?: boolean; className?: string }) {
  if (name in STROKES) {
    return (
      <svg className={`i ${small ? 's' : ''} ${className}`} viewBox="0 0 16 16" aria-hidden="true">
        <path d={STROKES[name as keyof typeof STROKES]} />
      </svg>
    )
  }
  const size = small ? 12 : 16
  return (
    <svg
      className={`fi ${className}`}
      width={size}
      height={size}
      viewBox="0 0 16 16"
      fill="currentColor"
      aria-hidden="true"
    >
      <path fillRule="evenodd" d={FILLS[name as keyof typeof FILLS]} />
    </svg>
  )
}

/** Lode's mark. */
export function Logo() {
  return (
    <svg viewBox="0 0 20 20" aria-hidden="true">
      <rect x="1" y="1" width="18" height="18" rx="3" fill="none" stroke="var(--ink)" strokeWidth="1.5" />
      <path
        d="M4.5 15.5 8 11l2.5 1.5L15.5 4.5"
        fill="none"
        stroke="var(--work)"
        strokeWidth="2.2"
        strokeLinejoin="round"
        strokeLinecap="round"
      />
    </svg>
  )
}
