import type { ReactNode } from 'react'
import type { JobKind } from '#shared/domain/job'

/** A model's first cell: kind, name, and a line below. */
export function ModelName({
  kind,
  title,
  below,
  hint,
}: {
  kind: JobKind
  title: ReactNode
  below: ReactNode
  hint: string
}) {
  return (
    <div className="row model-name">
      <i className={`k-${kind} kind-mark`} />
      <div className="cut">
        {title}
        <span className="sub" title={hint}>
          {below}
        </span>
      </div>
    </div>
  )
}
