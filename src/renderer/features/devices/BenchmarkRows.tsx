import { useLingui } from '@lingui/react/macro'
import { useState } from 'react'
import type { BenchmarkRow } from '#shared/contract/devices'
import { reportFailure } from '../../app/Notices'
import { client } from '../../data/client'
import { download } from '../../data/download'
import { asFailure, toast } from '../../data/store'
import { count, dayClock, NONE, short, shortId, three, watts } from '../../ui/format'
import { Icon } from '../../ui/icons'
import { FigureHead, Qualifier } from '../../ui/parts'

const GIGA = 1e9

/** The history, newest first. Each figure says whether it was measured, estimated or is not available. */
export function BenchmarkRows({ rows }: { rows: readonly BenchmarkRow[] }) {
  const { t } = useLingui()
  return (
    <div className="scroll-x">
      <table className="tbl tall bench">
        <caption className="sr">{t`Benchmarks`}</caption>
        <colgroup>
          <col className="w-when" />
          <col />
          <col className="w-num" />
          <col className="w-num" />
          <col className="w-num" />
          <col className="w-num" />
          <col className="w-num wide-only" />
          <col className="w-driver wide-only" />
          <col className="w-check" />
          <col className="w-use" />
        </colgroup>
        <thead>
          <tr>
            <th>{t`When`}</th>
            <th>{t`Tier, backend`}</th>
            <FigureHead name={t`Rate`} unit="GMAC/s" />
            <FigureHead name={t`Efficiency`} unit="GMAC/J" />
            <FigureHead name={t`Power`} unit="W" />
            <FigureHead name={t`Heat`} unit="°C" />
            <FigureHead name={t`Clock`} unit="GHz" className="wide-only" />
            <th className="wide-only">{t`Driver, version`}</th>
            <th>{t`Checksum`}</th>
            <th className="c">
              <span className="sr">{t`Export`}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <Row key={row.id} row={row} />
          ))}
        </tbody>
      </table>
    </div>
  )
}

function Row({ row }: { row: BenchmarkRow }) {
  const { t } = useLingui()
  const { spread, threads, wattsCertainty, wattsSource } = row
  const spreadWords = spread === null ? '' : `${short(spread * 100, 2)} %`
  return (
    <tr>
      <td>
        {dayClock(row.at)}
        <span className="sub">{row.mode === 'stress' ? t`stress test` : t`benchmark`}</span>
      </td>
      <td>
        <span className="mono">{row.tier}</span>
        <span className="sub">
          <span className="mono">{row.backend}</span>
          {threads !== null && t`, ${threads} threads`}
        </span>
      </td>
      <Figure value={row.macsPerSecond === 0 ? null : three(row.macsPerSecond / GIGA)}>
        <span
          title={t`Median of ${count(row.samples)} samples; half of them lie within the spread. ${three(row.noncesPerSecond)} nonces a second.`}
        >
          {spread === null ? <Qualifier certainty="measured" /> : t`spread ${spreadWords}`}
        </span>
      </Figure>
      <Figure value={row.macsPerJoule === null ? null : three(row.macsPerJoule / GIGA)}>
        <Qualifier certainty={wattsCertainty} source={wattsSource} />
      </Figure>
      <Figure value={row.watts === null ? null : watts(row.watts)}>
        <Qualifier certainty={wattsCertainty} source={wattsSource} />
      </Figure>
      <Figure value={row.temperatureCelsius === null ? null : String(Math.round(row.temperatureCelsius))}>
        <Qualifier certainty="measured" />
      </Figure>
      <td className="r wide-only">
        {row.clockHertz === null ? <span className="muted">{NONE}</span> : three(row.clockHertz / GIGA)}
        <span className="sub">
          {row.powerLimitWatts === null ? t`no limit set` : t`limit ${watts(row.powerLimitWatts)} W`}
        </span>
      </td>
      <td className="wide-only" title={row.driver ?? undefined}>
        {row.driver ?? t`comes with Lode`}
        <span className="sub">{row.lodeVersion === null ? t`not recorded` : t`Lode ${row.lodeVersion}`}</span>
      </td>
      <td>
        <Checksum row={row} />
      </td>
      <td className="c">
        <ExportButton row={row} />
      </td>
    </tr>
  )
}

function Figure({ value, children }: { value: string | null; children: React.ReactNode }) {
  const { t } = useLingui()
  return (
    <td className="r">
      {value ?? <span className="muted">{NONE}</span>}
      <span className="sub">{value === null ? t`not available` : children}</span>
    </td>
  )
}

function Checksum({ row }: { row: BenchmarkRow }) {
  const { t } = useLingui()
  const { checksum, checksumSha256, noncesChecked, wrongNonce, ended } = row
  if (checksum === 'mismatch')
    return (
      <>
        <span className="row bad">
          <Icon name="close" small />
          {t`wrong results`}
        </span>
        {wrongNonce !== null && <span className="sub">{t`nonce ${shortId(wrongNonce)}`}</span>}
      </>
    )
  return (
    <>
      <span className="row ok" title={checksumSha256 ?? undefined}>
        <Icon name="check" small />
        {checksumSha256 === null ? t`right` : <span className="mono">{shortId(checksumSha256)}</span>}
      </span>
      <span className="sub">
        {ended === 'too-hot'
          ? t`stopped, too hot`
          : row.mode === 'stress'
            ? t`${count(noncesChecked)} checked`
            : t`matches the reference`}
      </span>
    </>
  )
}

function ExportButton({ row }: { row: BenchmarkRow }) {
  const { t } = useLingui()
  const [busy, setBusy] = useState(false)
  if (row.checksum !== 'ok' || row.checksumSha256 === null) return null
  const save = (): void => {
    const fileName = `lode-benchmark-${row.deviceId}-${new Date(row.at).toISOString().slice(0, 10)}.json`
    setBusy(true)
    client
      .call('devices.exportBenchmark', { benchmarkId: row.id })
      .then((signed) => {
        download(fileName, `${JSON.stringify(signed, null, 2)}\n`, 'application/json')
        toast(t`Exported`, t`${fileName}. "lode bench --verify" checks it on any machine.`)
      })
      .catch((error: unknown) => reportFailure(asFailure(error)))
      .finally(() => setBusy(false))
  }
  const label = t`Export the benchmark of ${dayClock(row.at)}, signed`
  return (
    <button type="button" className="btn quiet sm icon" aria-label={label} title={label} disabled={busy} onClick={save}>
      <Icon name="export" small />
    </button>
  )
}
