import type { SeenEpoch } from '@rivulet/storage'
import type { AutoOffsetReset } from '../types.js'

/** Where a partition is to start; `reset` leaves it to the reset policy. */
export type StartOffset =
  | {
      readonly kind: 'offset'
      readonly offset: number
      /** The epoch of the record below the offset, by which it can be checked that the log still has that record. */
      readonly leaderEpoch?: SeenEpoch
    }
  | { readonly kind: 'earliest' }
  | { readonly kind: 'latest' }
  | { readonly kind: 'timestamp'; readonly timestamp: number }
  | { readonly kind: 'reset' }

/** What {@link decideStart} comes to: an offset, a timestamp to look up, or nothing to go by. */
export type StartDecision =
  | { readonly kind: 'position'; readonly offset: number }
  | { readonly kind: 'lookup'; readonly timestamp: number }
  | { readonly kind: 'out-of-range' }

export interface LogBounds {
  readonly logStartOffset: number
  readonly logEndOffset: number
}

const LATEST_OFFSET = -1
const EARLIEST_OFFSET = -2

const INTEGER = /^[+-]?\d+$/

/** An offset as the caller wrote it, as a number; `null` when it is no integer that a log can hold (up to 2^53 - 1). */
export function parseOffset(value: unknown): number | null {
  if (typeof value === 'string' && !INTEGER.test(value.trim())) return null
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'bigint') return null
  const offset = Number(value)
  return Number.isSafeInteger(offset) ? offset : null
}

/** The start that an offset stands for: Kafka's special offsets -1 (latest) and -2 (earliest), or itself; `null`: invalid. */
export function startAt(offset: number): StartOffset | null {
  if (offset === LATEST_OFFSET) return { kind: 'latest' }
  if (offset === EARLIEST_OFFSET) return { kind: 'earliest' }
  return offset >= 0 ? { kind: 'offset', offset } : null
}

/** Where to start in a log of these bounds. An offset outside of the log counts as none given: the policy decides. */
export function decideStart(start: StartOffset, policy: AutoOffsetReset, bounds: LogBounds): StartDecision {
  switch (start.kind) {
    case 'offset':
      return start.offset >= bounds.logStartOffset && start.offset <= bounds.logEndOffset
        ? { kind: 'position', offset: start.offset }
        : decideReset(policy, bounds)
    case 'earliest':
      return { kind: 'position', offset: bounds.logStartOffset }
    case 'latest':
      return { kind: 'position', offset: bounds.logEndOffset }
    case 'timestamp':
      return { kind: 'lookup', timestamp: start.timestamp }
    case 'reset':
      return decideReset(policy, bounds)
  }
}

function decideReset(policy: AutoOffsetReset, bounds: LogBounds): StartDecision {
  if (policy === 'none') return { kind: 'out-of-range' }
  if (policy === 'earliest') return { kind: 'position', offset: bounds.logStartOffset }
  if (policy === 'latest') return { kind: 'position', offset: bounds.logEndOffset }
  return { kind: 'lookup', timestamp: policy.timestamp }
}
