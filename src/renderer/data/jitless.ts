/** Must be imported first: the page's CSP forbids code made from text, so zod must not try. */
import { z } from 'zod'

z.config({ jitless: true })
