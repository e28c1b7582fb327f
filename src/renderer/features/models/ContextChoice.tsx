/** How long prompt and answer together may be when a model's memory is reckoned: the cache grows with every token. */
import { useLingui } from '@lingui/react/macro'
import { count } from '../../ui/format'
import { Choice } from '../../ui/parts'

const USUAL = 'usual'
const TOKENS = [2048, 8192, 16_384, 32_768, 131_072]

/** `value`: tokens; null for what Lode reckons with by itself. A model that has less is reckoned with all of its own. */
export function ContextChoice({
  value,
  onChange,
}: {
  value: number | null
  onChange: (tokens: number | null) => void
}) {
  const { t } = useLingui()
  return (
    <Choice
      inline
      label={t`Fits with a context of`}
      value={value === null ? USUAL : String(value)}
      onChange={(chosen) => onChange(chosen === USUAL ? null : Number(chosen))}
      choices={[
        { value: USUAL, text: t`a long conversation` },
        ...TOKENS.map((tokens) => ({ value: String(tokens), text: t`${count(tokens)} tokens` })),
      ]}
    />
  )
}
