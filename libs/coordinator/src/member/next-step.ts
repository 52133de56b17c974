import type { HeartbeatResult } from '../types.js'

/** While somebody computes an assignment, nobody else is told to for so long, ms. */
const LEASE_MS = 300
/** So that not all members ask at the very same time, ms. */
const MAX_JITTER_MS = 50
/** Heartbeats are never closer to each other than this, unless something has happened, ms. */
const MIN_INTERVAL_MS = 20

/** What a member's loop decides by. Times are those of its own clock, ms. */
export interface LoopState {
  readonly now: number
  /** Something is to be told or asked that a heartbeat does not tell. */
  readonly needsSync: boolean
  /** Others hold partitions that the member shall own. */
  readonly isWaiting: boolean
  /** Somebody waits for a heartbeat. */
  readonly isAsked: boolean
  /** When the next heartbeat is due. */
  readonly beatAt: number
  /** After a failure: nothing is sent before. */
  readonly retryAt: number
}

export type Step = { readonly kind: 'heartbeat' | 'sync' } | { readonly kind: 'wait'; readonly ms: number }

/** What a member does next. */
export function nextStep({ now, needsSync, isWaiting, isAsked, beatAt, retryAt }: LoopState): Step {
  if (now < retryAt) return { kind: 'wait', ms: retryAt - now }
  if (needsSync) return { kind: 'sync' }
  // That a partition is free is announced, but announcements can be missed.
  if (isAsked || now >= beatAt) return { kind: isWaiting ? 'sync' : 'heartbeat' }
  return { kind: 'wait', ms: beatAt - now }
}

/**
 * How long after one that was answered was sent the next heartbeat is due, ms: earlier than usual where it may find another member
 * dead, or the one that was to compute the assignment.
 *
 * @param random from 0 up to 1
 */
export function beatDelay(
  { epoch, assignmentEpoch, assign, nextExpiry }: HeartbeatResult,
  heartbeatInterval: number,
  random: number,
): number {
  const expiry = Math.max(MIN_INTERVAL_MS, nextExpiry + random * MAX_JITTER_MS)
  const lease = epoch > assignmentEpoch && !assign ? LEASE_MS * (1 + random) : Infinity
  return Math.min(heartbeatInterval, expiry, lease)
}
