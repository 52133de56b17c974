import { KafkaError } from '@rivulet/protocol'
import { retryTime, type RetryOptions, type StorageLogger } from '@rivulet/storage'
import type { HeartbeatResult } from '../types.js'
import { Alarm } from './alarm.js'
import { Deferred } from './deferred.js'
import { beatDelay, nextStep } from './next-step.js'

/**
 * Asks the group, and does what follows.
 *
 * @param answered called with the answer before anything is done about it: the member is live as of then
 * @throws KafkaError, or what cannot be mended by trying again
 */
export type Ask = (answered: (result: HeartbeatResult) => void) => Promise<void>

export interface MemberLoopParts {
  readonly groupId: string
  /** ms */
  readonly heartbeatInterval: number
  /** How often in a row, and how far apart, is tried what fails before the member has joined. */
  readonly retry: RetryOptions
  readonly logger: StorageLogger
  /** ms */
  readonly now: () => number
  /** Whether the member has owned once what it shall own: from then on there is no last try. */
  readonly hasJoined: () => boolean
  readonly needsSync: () => boolean
  readonly isWaiting: () => boolean
  readonly heartbeat: Ask
  readonly sync: Ask
  /** The group does not know the member any more: the next thing is to join again. */
  readonly onExpelled: () => Promise<void>
}

/** How far apart tries are once the member has joined. */
const RETRY: RetryOptions = { initialRetryTime: 100, maxRetryTime: 1000, multiplier: 2, factor: 0.2, retries: Infinity }
/** Failures in a row are logged no more often than this, ms. */
const LOG_INTERVAL_MS = 10_000

/** Sends a member's heartbeats and syncs, one at a time, each when it is due; tries again what fails. */
export class MemberLoop {
  readonly #parts: MemberLoopParts
  readonly #alarm = new Alarm()
  /** Those who wait for a heartbeat that begins after they have asked. */
  #waiters: Deferred[] = []
  /** When the latest one that was answered was sent. */
  #answeredAt: number | null = null
  #wasAnswered = false
  #beatAt = 0
  #retryAt = 0
  #failures = 0
  #loggedAt = -Infinity
  #stopped = false

  constructor(parts: MemberLoopParts) {
    this.#parts = parts
  }

  /** How long ago the latest heartbeat that was answered was sent, ms; Infinity: there is none. */
  get silence(): number {
    return this.#answeredAt === null ? Infinity : this.#parts.now() - this.#answeredAt
  }

  /** Ends when it is stopped. @throws what ends the membership: an error that trying again does not cure */
  async run(): Promise<void> {
    const { now, needsSync, isWaiting, sync, heartbeat } = this.#parts
    while (!this.#stopped) {
      const step = nextStep({
        now: now(),
        needsSync: needsSync(),
        isWaiting: isWaiting(),
        isAsked: this.#waiters.length > 0,
        beatAt: this.#beatAt,
        retryAt: this.#retryAt,
      })
      if (step.kind === 'wait') await this.#alarm.wait(step.ms)
      else await this.#attempt(step.kind === 'sync' ? sync : heartbeat)
    }
  }

  /** Something has changed: looks what is to be done now. */
  ring(): void {
    this.#alarm.ring()
  }

  /** A heartbeat is due in so many ms at the latest. */
  beatWithin(ms: number): void {
    this.#beatAt = Math.min(this.#beatAt, this.#parts.now() + ms)
    this.ring()
  }

  /** Settles when a heartbeat was answered that began after this call. @throws KafkaError what came of it instead */
  heartbeat(): Promise<void> {
    const waiter = new Deferred()
    this.#waiters.push(waiter)
    this.ring()
    return waiter.promise
  }

  /** @param error what those get who wait for a heartbeat */
  stop(error: KafkaError): void {
    this.#stopped = true
    this.#answeredAt = null
    for (const waiter of this.#waiters) waiter.reject(error)
    this.#waiters = []
    this.ring()
  }

  async #attempt(ask: Ask): Promise<void> {
    const waiters = this.#waiters
    this.#waiters = []
    const sentAt = this.#parts.now()
    try {
      await ask((result) => this.#answered(sentAt, result))
      for (const waiter of waiters) waiter.resolve()
    } catch (error) {
      for (const waiter of waiters) waiter.reject(error)
      if (!this.#stopped) await this.#failed(error)
    }
  }

  #answered(sentAt: number, result: HeartbeatResult): void {
    if (this.#stopped) return
    this.#wasAnswered = true
    this.#failures = 0
    this.#answeredAt = sentAt
    // Of an answer that took long, as for a process that was frozen, nobody knows whether it still holds.
    this.#beatAt = sentAt + beatDelay(result, this.#parts.heartbeatInterval, Math.random())
  }

  async #failed(error: unknown): Promise<void> {
    if (!(error instanceof KafkaError)) throw error
    if (error.type === 'UNKNOWN_MEMBER_ID' && this.#wasAnswered) {
      this.#answeredAt = null
      await this.#parts.onExpelled()
      // Joined again at once; but who is expelled by the very join waits like everybody else whose call fails.
      if (this.#failures++ === 0) return
    } else if (error.retriable) this.#failures++
    else throw error
    const retry = this.#parts.hasJoined() ? RETRY : this.#parts.retry
    if (this.#failures > retry.retries) throw error
    this.#retryAt = this.#parts.now() + retryTime(retry, this.#failures)
    this.#log(error)
  }

  #log(error: KafkaError): void {
    const { groupId, logger, now } = this.#parts
    if (this.#failures > 1 && now() - this.#loggedAt < LOG_INTERVAL_MS) return
    this.#loggedAt = now()
    const { type } = error
    logger.warn(`group ${groupId} does not answer: ${error.message}`, { groupId, type, failures: this.#failures })
  }
}
