import { useEffect, useRef, useState } from 'react'
import { client } from '../../data/client'

/** The text that a chat job has generated so far. Listens from the start, since the first tokens may arrive before the job's id does. */
export function useTokens(id: string | null): string {
  const heard = useRef(new Map<string, string>())
  const [text, setText] = useState('')
  const wanted = useRef(id)
  useEffect(() => {
    wanted.current = id
    setText(id === null ? '' : (heard.current.get(id) ?? ''))
  }, [id])
  useEffect(() => {
    let frame = 0
    const stop = client.on('job.token', (token) => {
      heard.current.set(token.id, (heard.current.get(token.id) ?? '') + token.text)
      frame ||= requestAnimationFrame(() => {
        frame = 0
        if (wanted.current !== null) setText(heard.current.get(wanted.current) ?? '')
      })
    })
    return () => {
      cancelAnimationFrame(frame)
      stop()
    }
  }, [])
  return text
}
