import type { KafkaJSError } from '../errors.js'
import { retrySettings } from '../retry.js'
import type { Logger } from '../types.js'
import { within } from '../within.js'
import type { ConsumerInstrumentation } from './consumer-events.js'
import type { ConsumerSettings } from './consumer-settings.js'
import type { GroupSession } from './group-session.js'
import { KafkaJSMaxPollIntervalExceeded } from './max-poll-interval-error.js'
import { shouldRestart } from './restart-policy.js'
import { toCrash } from './retry-state.js'
import type { RunSession } from './run-session.js'
import { Termination } from './termination.js'

/** Where a consumer is in a hurry (disconnect, crash), so long handlers may take to end, ms … */
const HANDLER_GRACE_MS = 450
/** … and that and leaving the group together, ms; */
const END_GRACE_MS = 700
/** but leaving itself has this long, ms. */
const LEAVE_GRACE_MS = 250

export interface ConsumerRunOptions {
  readonly settings: ConsumerSettings
  readonly instrumentation: ConsumerInstrumentation
  readonly logger: Logger
  /** Connects and makes a session. @throws KafkaError, KafkaJSError what kept it from that */
  readonly open: (onCrash: (error: KafkaJSError) => void) => Promise<RunSession>
  /** A session has ended; another one may follow. */
  readonly onSessionEnd: () => void
  /** Lets go of the connections, within a deadline of its own. */
  readonly release: () => Promise<void>
  /** The run is over: stopped, or crashed for good. */
  readonly onEnd: (error: KafkaJSError | null) => void
}

/** One call of run(), until it has stopped: restarts after crashes belong to it. */
export class ConsumerRun {
  private current: RunSession | null = null
  /** The end of the current session, while it is under way. */
  private ending: Promise<void> | null = null
  /** Over when handlers are no longer waited for. */
  private givenUp = new Termination()
  /** When the end is to be reached, on performance.now()'s clock; null: nobody is in a hurry. */
  private endBy: number | null = null
  private restartTimer: NodeJS.Timeout | null = null
  private stopping: Promise<void> | null = null

  constructor(private readonly options: ConsumerRunOptions) {}

  /** The session under way, if there is one. */
  get session(): RunSession | null {
    return this.ending === null ? this.current : null
  }

  /** The membership under way: it can commit until the group is left. */
  get group(): GroupSession | null {
    return this.current?.group ?? null
  }

  /** Begins a session; resolves when its group is joined, or when it has crashed. */
  async start(): Promise<void> {
    const { logger, settings, open, instrumentation } = this.options
    logger.info('Starting', { groupId: settings.groupId })
    this.givenUp = new Termination()
    try {
      const session = await open((error) => void this.crashed(error))
      if (this.stopping !== null) {
        await session.stop()
        await session.leave(LEAVE_GRACE_MS)
        return
      }
      this.current = session
      if (session.group === null) return
      instrumentation.emit('consumer.connect', null)
      await Promise.race([session.group.join(), session.ended.promise])
    } catch (error) {
      await this.crashed(toCrash(error))
    }
  }

  /** Stops; resolves when handlers have ended, or `hurry` has given them up, and the group is left. */
  stop(): Promise<void> {
    this.stopping ??= this.end()
    return this.stopping
  }

  /** Does not wait for handlers and servers any longer than disconnect() may take. */
  async hurry(): Promise<void> {
    this.endBy = performance.now() + END_GRACE_MS
    const session = this.current
    if (session === null || (await within(session.stop(), HANDLER_GRACE_MS))) return
    this.giveUpHandlers()
  }

  private giveUpHandlers(): void {
    const { logger, settings } = this.options
    logger.warn('A handler did not end in time: what it works on counts as not done', { groupId: settings.groupId })
    this.givenUp.resolve()
  }

  private async end(): Promise<void> {
    if (this.restartTimer !== null) clearTimeout(this.restartTimer)
    await this.endSession()
    this.options.onEnd(null)
  }

  private endSession(): Promise<void> {
    const session = this.current
    if (session === null) return Promise.resolve()
    this.ending ??= this.finish(session)
    return this.ending
  }

  private async finish(session: RunSession): Promise<void> {
    await Promise.race([session.stop(), this.givenUp.promise])
    await session.leave(this.endBy === null ? null : Math.max(LEAVE_GRACE_MS, this.endBy - performance.now()))
    this.current = null
    this.ending = null
    this.options.onSessionEnd()
    this.options.instrumentation.emit('consumer.stop', null)
  }

  private async crashed(error: KafkaJSError): Promise<void> {
    const { settings, instrumentation, logger, release, onEnd } = this.options
    if (this.stopping !== null || this.ending !== null) {
      // It would keep its partitions from everybody else for ever.
      if (error instanceof KafkaJSMaxPollIntervalExceeded && !this.givenUp.isOver) this.giveUpHandlers()
      return
    }
    const { groupId } = settings
    const retryCount = 'retryCount' in error ? error.retryCount : undefined
    logger.error(`Crash: ${error.name}: ${error.message}`, { groupId, retryCount, stack: error.stack })

    const ending = this.endSession()
    await this.hurry()
    await ending
    this.endBy = null
    await release()
    instrumentation.emit('consumer.disconnect', null)

    const restart = (await shouldRestart(error, settings.restartOnFailure, { logger, groupId })) && !this.isStopping
    instrumentation.emit('consumer.crash', { error, groupId, restart })
    if (this.isStopping) return
    if (!restart) return onEnd(error)
    const retryTime =
      'retryTime' in error && typeof error.retryTime === 'number'
        ? error.retryTime
        : retrySettings(settings.retry).initialRetryTime
    logger.error(`Restarting the consumer in ${retryTime}ms`, { retryCount, retryTime, groupId })
    this.restartTimer = setTimeout(() => {
      this.restartTimer = null
      void this.start()
    }, retryTime)
  }

  private get isStopping(): boolean {
    return this.stopping !== null
  }
}
