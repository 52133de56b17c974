import type { GroupMessage } from '../types.js'

/**
 * A message of a group's channel, which is JSON of a GroupMessage: {"kind":"target","epoch":7,"memberIds":["a","b"]}.
 * null: it is of a kind that this release does not know.
 */
export function parseGroupMessage(text: string): GroupMessage | null {
  let message: unknown
  try {
    message = JSON.parse(text)
  } catch {
    return null
  }
  if (typeof message !== 'object' || message === null || !('kind' in message)) return null
  const { kind } = message
  if (kind === 'assign' && 'memberId' in message && typeof message.memberId === 'string') {
    return { kind, memberId: message.memberId }
  }
  if (kind === 'free' && 'partitions' in message && isTexts(message.partitions)) {
    return { kind, partitions: message.partitions }
  }
  if (kind !== 'target' || !('epoch' in message) || !('memberIds' in message)) return null
  const { epoch, memberIds } = message
  return typeof epoch === 'number' && isTexts(memberIds) ? { kind, epoch, memberIds } : null
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}
