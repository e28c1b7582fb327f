import type { ReactNode } from 'react'
import type { JobKind } from '#shared/domain/job'

/** A model's first cell: kind, name, and a line below. */
export function ModelName({
  kind,
  title,
  below,
  description,
}: {
  kind: JobKind
  title: ReactNode
  below: ReactNode
  description: string
}) {
  return (
    <div className="row model-name">
      <i className={`k-${kind} kind-mark`} />
      <div className="cut">
        {title}
        <span className="sub" title={description}>
          {below}
        </span>
      </div>
    </div>
  )
}
