/** The length of prompt and answer together for which a model's memory is computed: the KV cache grows with every token. */
import { useLingui } from '@lingui/react/macro'
import { count } from '../../ui/format'
import { Choice } from '../../ui/parts'

/** The engine's own choice: a long conversation. */
export const USUAL_CONTEXT = 4096
const TOKENS = [2048, USUAL_CONTEXT, 8192, 16_384, 32_768, 131_072]

/** Chooses the context in tokens. A model with a shorter context counts with its whole context. */
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
