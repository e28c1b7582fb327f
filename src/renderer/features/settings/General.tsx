import { Trans, useLingui } from '@lingui/react/macro'
import { useState } from 'react'
import type { Settings } from '#shared/contract/settings'
import { useAnswer } from '../../data/answer'
import { price as priceText } from '../../ui/format'
import { Choice, Panel, Segmented, Setting } from '../../ui/parts'
import { parsePriceMicros, priceInput } from './price'
import { saveSettings } from './save'

export function General({ settings }: { settings: Settings }) {
  const { t } = useLingui()
  return (
    <>
      <Panel title={t`This rig`}>
        <div className="rule-top">
          <RigName settings={settings} />
          <Setting name={<Trans>Appearance</Trans>} help={<Trans>System follows this computer.</Trans>}>
            <Segmented
              label={t`Appearance`}
              value={settings.theme}
              onChange={(theme) => saveSettings({ theme })}
              choices={[
                { value: 'system', text: t`System` },
                { value: 'light', text: t`Light` },
                { value: 'dark', text: t`Dark` },
              ]}
            />
          </Setting>
        </div>
      </Panel>
      <Electricity settings={settings} />
    </>
  )
}

function RigName({ settings }: { settings: Settings }) {
  const { t } = useLingui()
  const [name, setName] = useState(settings.rigName)
  const save = (): void => {
    const next = name.trim()
    if (next === '') setName(settings.rigName)
    else if (next !== settings.rigName) saveSettings({ rigName: next })
  }
  return (
    <Setting
      name={<label htmlFor="rig-name">{t`Rig name`}</label>}
      help={<Trans>Shown in the sidebar. It is not part of the rig's key.</Trans>}
    >
      <span className="input name-input">
        <input
          id="rig-name"
          value={name}
          maxLength={60}
          onChange={(event) => setName(event.target.value)}
          onBlur={save}
          onKeyDown={(event) => event.key === 'Enter' && save()}
        />
      </span>
    </Setting>
  )
}

const CURRENCIES: readonly Settings['currency'][] = ['USD', 'EUR', 'GBP', 'CHF', 'CAD', 'AUD', 'JPY']

function Electricity({ settings }: { settings: Settings }) {
  const { t } = useLingui()
  const today = useAnswer('engine.today', null, { on: ['settings.changed'] })
  const stored = settings.pricePerKilowattHourMicros
  const [text, setText] = useState(stored === null ? '' : priceInput(stored))
  const micros = parsePriceMicros(text)
  const save = (): void => {
    if (micros !== null && micros !== stored) saveSettings({ pricePerKilowattHourMicros: micros })
  }
  const assumed = today.data?.pricePerKilowattHour.assumed ? today.data.pricePerKilowattHour : null
  return (
    <Panel title={t`Electricity`}>
      <div className="rule-top">
        <Setting
          name={<label htmlFor="price">{t`Price`}</label>}
          help={
            text !== '' && micros === null ? (
              <span className="bad">{t`A price such as 0.21`}</span>
            ) : stored === null && assumed ? (
              t`Not set. Assuming ${priceText(assumed)}/kWh; marked "assumed".`
            ) : (
              t`Used for cost and net. Never sent anywhere.`
            )
          }
        >
          <span className="row">
            <span className={`input price-input ${text !== '' && micros === null ? 'wrong' : ''}`}>
              <input
                id="price"
                inputMode="decimal"
                value={text}
                placeholder={t`not set`}
                aria-invalid={text !== '' && micros === null}
                onChange={(event) => setText(event.target.value)}
                onBlur={save}
                onKeyDown={(event) => event.key === 'Enter' && save()}
              />
              <span className="u">{settings.currency}/kWh</span>
            </span>
            <button
              type="button"
              className="btn quiet"
              disabled={stored === null}
              onClick={() => {
                setText('')
                saveSettings({ pricePerKilowattHourMicros: null })
              }}
            >
              <Trans>I don't know</Trans>
            </button>
          </span>
        </Setting>
        <Setting
          name={<Trans>Currency</Trans>}
          help={<Trans>Of electricity and net. Amounts are not converted.</Trans>}
        >
          <Choice
            label={t`Currency`}
            value={settings.currency}
            choices={CURRENCIES.map((value) => ({ value, text: value }))}
            onChange={(currency) => saveSettings({ currency })}
          />
        </Setting>
      </div>
    </Panel>
  )
}
