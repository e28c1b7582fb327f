/* oxlint-disable jsx-a11y/prefer-tag-over-role -- drawn by script from parts: no element is an image of its own */
/** A zero-based area over time (uPlot): gaps stay gaps, pauses are hatched with their cause, the last value is a ringed point. */
import { useEffect, useRef } from 'react'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { clock, dayMonth, short } from '../ui/format'
import { onThemeChange, tokenColours } from './colours'

export interface TimeSeries {
  values: readonly (number | null)[]
  /** dashed: estimated */
  dashed: boolean
}
export interface TimeChartProps {
  /** UTC ms, ascending */
  times: readonly number[]
  series: readonly TimeSeries[]
  from: number
  to: number
  colour: 'work' | 'cost'
  /** whether times stand under it */
  axis: boolean
  pauses: readonly { from: number; to: number; cause: string }[]
  height: number
  label: string
}

/** Draws the chart. A new uPlot is made only when the kind of series or the theme changes. */
export function TimeChart(props: TimeChartProps) {
  const holder = useRef<HTMLDivElement>(null)
  const chart = useRef<uPlot | null>(null)
  const latest = useRef(props)
  useEffect(() => {
    latest.current = props
  }, [props])

  const shape = `${props.colour} ${props.axis} ${props.series.map((one) => one.dashed).join()}`
  useEffect(() => {
    const box = holder.current
    if (!box) return
    const make = (): void => {
      chart.current?.destroy()
      chart.current = new uPlot(options(latest, box.clientWidth), data(latest.current), box)
    }
    make()
    const resize = new ResizeObserver(() => {
      chart.current?.setSize({ width: box.clientWidth, height: latest.current.height })
    })
    resize.observe(box)
    const stop = onThemeChange(make)
    return () => {
      stop()
      resize.disconnect()
      chart.current?.destroy()
      chart.current = null
    }
  }, [shape])

  useEffect(() => {
    const plot = chart.current
    if (!plot) return
    plot.batch(() => {
      plot.setData(data(props), false)
      plot.setScale('x', { min: props.from / 1000, max: props.to / 1000 })
    })
  }, [props])

  return <div ref={holder} className="uplot-box" role="img" aria-label={props.label} style={{ height: props.height }} />
}

function data({ times, series }: TimeChartProps): uPlot.AlignedData {
  return [times.map((time) => time / 1000), ...series.map((one) => [...one.values])]
}

/** A round number at or above the largest value: 1, 2, 2.5 or 5 times a power of ten, so that half of it is round too. */
export function roundTop(largest: number): number {
  if (!(largest > 0)) return 1
  const unit = 10 ** Math.floor(Math.log10(largest))
  for (const factor of [1, 1.6, 2, 2.4, 3, 4, 5, 6, 8]) if (factor * unit >= largest * 1.02) return factor * unit
  return 10 * unit
}

const LEFT = 44
const AXIS_FONT = '11px "Inter Variable", system-ui, sans-serif'

function options(latest: { current: TimeChartProps }, width: number): uPlot.Options {
  const { height, axis, colour, series } = latest.current
  const colours = tokenColours({
    main: `--${colour}`,
    grid: '--grid',
    axis: '--axis',
    face: '--face',
    paused: '--paused',
    soft: '--paused-soft',
    base: '--line-ctl',
  })
  return {
    width,
    height,
    padding: [6, 18, axis ? 0 : 7, 0],
    legend: { show: false },
    cursor: { show: false },
    scales: {
      x: { time: true, range: () => [latest.current.from / 1000, latest.current.to / 1000] },
      y: { range: (_self, _low, high) => [0, roundTop(high)] },
    },
    series: [
      {},
      ...series.map((one, index) => ({
        stroke: colours.main,
        width: one.dashed ? 1.25 : 1.5,
        ...(one.dashed ? { dash: [3, 3] } : {}),
        fill: translucent(colours.main, index === 0 ? 0.16 : 0.08),
        points: { show: false },
        spanGaps: false,
      })),
    ],
    axes: [
      {
        show: axis,
        stroke: colours.axis,
        font: AXIS_FONT,
        size: 20,
        gap: 4,
        ticks: { show: false },
        grid: { stroke: colours.grid, width: 1 },
        space: 70,
        values: (self, splits) => timeLabels(splits, (self.scales['x']?.max ?? 0) - (self.scales['x']?.min ?? 0)),
      },
      {
        stroke: colours.axis,
        font: AXIS_FONT,
        size: LEFT,
        gap: 6,
        ticks: { show: false },
        grid: { stroke: colours.grid, width: 1 },
        splits: (_self, _index, low, high) => [low, high / 2, high],
        values: (_self, splits) => splits.map((value) => (value === 0 ? '0' : short(value))),
      },
    ],
    hooks: { draw: [(self) => drawPauses(self, latest.current, colours), (self) => drawLast(self, colours)] },
  }
}

/** Times of day; days where the window is longer than two of them. */
function timeLabels(splits: readonly number[], seconds: number): string[] {
  return splits.map((split) => (seconds > 2 * 86_400 ? dayMonth(split * 1000) : clock(split * 1000)))
}

function translucent(colour: string, alpha: number): string {
  return colour.startsWith('rgb(') ? colour.replace('rgb(', 'rgba(').replace(')', `, ${alpha})`) : colour
}

function drawPauses(self: uPlot, { pauses }: TimeChartProps, colours: { paused: string; soft: string }): void {
  const { ctx, bbox } = self
  const ratio = window.devicePixelRatio
  for (const pause of pauses) {
    const left = Math.max(bbox.left, self.valToPos(pause.from / 1000, 'x', true))
    const right = Math.min(bbox.left + bbox.width, self.valToPos(pause.to / 1000, 'x', true))
    if (right - left < 1) continue
    ctx.save()
    ctx.setLineDash([])
    ctx.beginPath()
    ctx.rect(left, bbox.top, right - left, bbox.height)
    ctx.clip()
    ctx.strokeStyle = colours.soft
    ctx.lineWidth = 3 * ratio
    for (let x = left - bbox.height; x < right; x += 7 * ratio) {
      ctx.beginPath()
      ctx.moveTo(x, bbox.top + bbox.height)
      ctx.lineTo(x + bbox.height, bbox.top)
      ctx.stroke()
    }
    ctx.strokeStyle = colours.paused
    ctx.lineWidth = ratio
    for (const x of [left, right]) {
      ctx.beginPath()
      ctx.moveTo(x, bbox.top)
      ctx.lineTo(x, bbox.top + bbox.height)
      ctx.stroke()
    }
    ctx.restore()
  }
}

function drawLast(self: uPlot, colours: { main: string; face: string }): void {
  const times = self.data[0]
  const { ctx } = self
  const ratio = window.devicePixelRatio
  for (let index = 1; index < self.data.length; index++) {
    const value = self.data[index]?.at(-1)
    const time = times.at(-1)
    if (value === null || value === undefined || time === undefined) continue
    const x = self.valToPos(time, 'x', true)
    const y = self.valToPos(value, 'y', true)
    for (const [radius, colour] of [
      [5, colours.main],
      [4, colours.face],
      [2.5, colours.main],
    ] as const) {
      ctx.beginPath()
      ctx.arc(x, y, radius * ratio, 0, 2 * Math.PI)
      ctx.fillStyle = colour
      ctx.fill()
    }
    // Only the topmost line gets a point at its end.
    break
  }
}
