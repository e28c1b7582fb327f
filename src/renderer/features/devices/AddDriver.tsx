/** Adding a driver: its folder, what its manifest says, and the person's approval of name and hash. Nothing of it runs before. */
import { Trans, useLingui } from '@lingui/react/macro'
import { useState } from 'react'
import type { DriverManifest } from '#shared/domain/driver'
import type { Failure } from '#shared/domain/errors'
import { client } from '../../data/client'
import { asFailure, toast } from '../../data/store'
import { Dialog } from '../../ui/dialog'
import { Icon } from '../../ui/icons'
import { Problem } from '../../ui/parts'
import { useMessages } from '../../ui/messages'

export function AddDriver({ onAdded }: { onAdded: () => void }) {
  const [isOpen, setOpen] = useState(false)
  return (
    <>
      <button type="button" className="btn sm" onClick={() => setOpen(true)}>
        <Icon name="plus" small />
        <Trans>Add a driver</Trans>
      </button>
      {isOpen && <AddDialog onClose={() => setOpen(false)} onAdded={onAdded} />}
    </>
  )
}

function AddDialog({ onClose, onAdded }: { onClose: () => void; onAdded: () => void }) {
  const messages = useMessages()
  const { t } = useLingui()
  const [path, setPath] = useState('')
  const [manifest, setManifest] = useState<DriverManifest | null>(null)
  const [failure, setFailure] = useState<Failure | null>(null)
  const [busy, setBusy] = useState(false)
  const isWritten = path.trim() !== ''
  const ask = (work: () => Promise<void>): void => {
    setBusy(true)
    setFailure(null)
    work()
      .catch((error: unknown) => setFailure(asFailure(error)))
      .finally(() => setBusy(false))
  }
  const look = (): void => {
    if (isWritten) ask(async () => setManifest(await client.call('drivers.inspect', { path: path.trim() })))
  }
  const approve = ({ sha256 }: DriverManifest): void =>
    ask(async () => {
      const driver = await client.call('drivers.add', { path: path.trim(), sha256 })
      onAdded()
      onClose()
      toast(
        driver.state === 'ready' ? t`${driver.name} was added` : t`${driver.name} was added and is not used`,
        driver.reason === undefined ? '' : messages.text(driver.reason),
      )
    })
  return (
    <Dialog
      open
      onClose={onClose}
      title={<Trans>Add a driver</Trans>}
      description={<Trans>A folder that holds driver.json and a library, from the maker of the device.</Trans>}
      footer={
        <>
          <span className="grow" />
          <button type="button" className="btn" onClick={onClose}>
            <Trans>Cancel</Trans>
          </button>
          {manifest === null ? (
            <button
              type="button"
              className="btn primary"
              disabled={busy || !isWritten}
              title={isWritten ? undefined : t`Write the path first`}
              onClick={look}
            >
              {busy ? <Trans>Looking</Trans> : <Trans>Look at it</Trans>}
            </button>
          ) : (
            <button type="button" className="btn primary" disabled={busy} onClick={() => approve(manifest)}>
              {busy ? <Trans>Adding and trying it</Trans> : <Trans>Approve and add</Trans>}
            </button>
          )}
        </>
      }
    >
      <form
        className="field"
        onSubmit={(event) => {
          event.preventDefault()
          look()
        }}
      >
        <label htmlFor="driver-path">{t`Folder on the computer that mines`}</label>
        <span className="input big">
          <input
            id="driver-path"
            className="mono"
            value={path}
            spellCheck={false}
            autoComplete="off"
            maxLength={4096}
            placeholder="/home/me/Downloads/the-driver"
            onChange={(event) => {
              setPath(event.target.value)
              setManifest(null)
              setFailure(null)
            }}
          />
        </span>
      </form>
      {failure && <Problem failure={failure} />}
      {manifest && <Manifest manifest={manifest} />}
    </Dialog>
  )
}

function Manifest({ manifest }: { manifest: DriverManifest }) {
  const { t } = useLingui()
  const facts = [
    [t`Name`, `${manifest.name} ${manifest.version}`],
    [t`Maker`, manifest.vendor],
    [t`Licence`, manifest.licence],
    [t`Made for`, manifest.platforms.join(', ')],
  ]
  return (
    <div className="field">
      <dl className="kv about">
        {facts.map(([name, value]) => [
          <dt key={`${name} name`}>{name}</dt>,
          <dd key={`${name} value`} className="wrap">
            {value}
          </dd>,
        ])}
        <dt>SHA-256</dt>
        <dd className="mono wrap hash">{manifest.sha256}</dd>
      </dl>
      <p className="help">
        <Trans>
          A driver is a program of its maker: it runs with your rights, in processes of its own, and never in Lode's.
          Compare the hash with the one that its maker published. It is tried with known results before it is used.
        </Trans>
      </p>
    </div>
  )
}
