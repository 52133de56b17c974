import type { PeerSettings } from './peers/settings.js'
import type { Figures } from './works/work.js'

/** What the benchmark tells the process of a peer; each is answered by one Reply, before the next is sent. */
export type Command =
  | { readonly type: 'connect'; readonly settings: PeerSettings }
  | { readonly type: 'open'; readonly work: number }
  | { readonly type: 'round'; readonly seconds: number; readonly checking: boolean; readonly profile: boolean }
  /** Ends the work; a profile of it is written there. */
  | { readonly type: 'close'; readonly profileFile: string | null }

export type Reply =
  | { readonly type: 'connected'; readonly description: string }
  | { readonly type: 'missing'; readonly reason: string }
  | { readonly type: 'figures'; readonly figures: Figures }
  | { readonly type: 'done' }
  | { readonly type: 'failed'; readonly reason: string }

const COMMANDS: readonly string[] = ['connect', 'open', 'round', 'close']
const REPLIES: readonly string[] = ['connected', 'missing', 'figures', 'done', 'failed']

/** Whether it is one of ours: both ends are the same program, so its type says all. */
export function isCommand(message: unknown): message is Command {
  return hasType(message, COMMANDS)
}

export function isReply(message: unknown): message is Reply {
  return hasType(message, REPLIES)
}

function hasType(message: unknown, types: readonly string[]): boolean {
  return typeof message === 'object' && message !== null && 'type' in message && types.includes(String(message.type))
}
