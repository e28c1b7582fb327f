/** How long prompt and answer together may be when a model's memory is reckoned: the cache grows with every token. */
import { useLingui } from '@lingui/react/macro'
import { count } from '../../ui/format'
import { Choice } from '../../ui/parts'

/** What the engine reckons with by itself: a long conversation. */
export const USUAL_CONTEXT = 4096
const TOKENS = [2048, USUAL_CONTEXT, 8192, 16_384, 32_768, 131_072]

/** A model whose context is shorter is reckoned with all of its own. */
export function ContextChoice({ value, onChange }: { value: number; onChange: (tokens: number) => void }) {
  const { t } = useLingui()
  return (
    <Choice
      inline
      label={t`Fits with a context of`}
      value={String(value)}
      onChange={(chosen) => onChange(Number(chosen))}
      choices={TOKENS.map((tokens) => ({ value: String(tokens), text: t`${count(tokens)} tokens` }))}
    />
  )
}
