import type { Storage } from '@rivulet/storage'
import { bindMethods } from '../bind-methods.js'
import type { ClientContext } from '../client-context.js'
import {
  type KafkaJSError,
  KafkaJSNonRetriableError,
  KafkaJSNotImplemented,
  toError,
  toKafkaJSError,
} from '../errors.js'
import { Instrumentation } from '../instrumentation.js'
import { retrySettings } from '../retry.js'
import type {
  ConsumerRunConfig,
  ConsumerSubscribeTopic,
  ConsumerSubscribeTopics,
  GroupDescription,
  InstrumentationEvent,
  Logger,
  TopicPartitionOffsetAndMetadata,
  TopicPartitions,
} from '../types.js'
import { BufferBudget } from './buffer-budget.js'
import {
  type AssignmentRequest,
  checkCommits,
  checkPauses,
  checkSeek,
  checkSubscription,
  parseAssignment,
} from './check-arguments.js'
import {
  RIVULET_CONSUMER_EVENTS,
  type RivuletConsumerEventPayloads,
  type RivuletConsumerEvents,
} from './consumer-events.js'
import {
  type ConsumerSettings,
  parseConsumerConfig,
  parseRunConfig,
  type AnyConsumerConfig,
  type RunSettings,
} from './consumer-settings.js'
import type { WorkHooks } from './dispatcher.js'
import { RunSession } from './run-session.js'
import { SubscriptionState } from './subscription-state.js'
import { Termination } from './termination.js'
import { within } from '../within.js'

/** disconnect() resolves within a second: so long handlers may take to end, ms … */
const HANDLER_GRACE_MS = 500
/** … and so long the connections may take to close, ms. */
const RELEASE_GRACE_MS = 400
/** How deep the causes of an error are looked into. */
const MAX_CAUSES = 20

/** One call of run(), until it has stopped: restarts after crashes belong to it. */
interface Run {
  readonly settings: RunSettings
  session: RunSession | null
  restartTimer: NodeJS.Timeout | null
  stopping: Termination | null
}

/** Reads partitions: those that it was assigned. Methods can be taken off the object. */
export class Consumer {
  readonly events: RivuletConsumerEvents = RIVULET_CONSUMER_EVENTS
  readonly #context: ClientContext
  readonly #settings: ConsumerSettings
  readonly #logger: Logger
  readonly #instrumentation: Instrumentation<RivuletConsumerEventPayloads>
  readonly #budget: BufferBudget
  readonly #subscription: SubscriptionState
  readonly #hooks: WorkHooks
  #assigned = false
  #acquired: { readonly storage: Promise<Storage>; readonly abort: AbortController } | null = null
  #run: Run | null = null
  #closed = new Termination()

  /** @throws KafkaJSNonRetriableError for an option that is wrong, naming it and its value */
  constructor(context: ClientContext, config: AnyConsumerConfig = {}) {
    this.#context = context
    this.#logger = context.logger.namespace('Consumer')
    this.#settings = parseConsumerConfig(config, context.retry, this.#logger)
    this.#instrumentation = new Instrumentation('consumer', this.events, this.#logger)
    this.#budget = new BufferBudget(this.#settings.maxBytes)
    this.#subscription = new SubscriptionState(this.#budget)
    const subscription = this.#subscription
    // Without a group there is nobody to tell: 'resolved' moves the position, and that is all.
    this.#hooks = {
      heartbeat: () => Promise.resolve(),
      afterMessage: () => undefined,
      afterBatch: () => undefined,
      commitOffsetsIfNecessary: () => Promise.resolve(),
      uncommittedOffsets: () => ({ topics: subscription.resolvedOffsets() }),
    }
    bindMethods(this)
  }

  /**
   * How the consumer has ended: resolves with stop() and disconnect(), rejects with the error of a crash that is not
   * followed by a restart. Of the current run, or else of the next one. Nothing happens where nobody listens.
   */
  get closed(): Promise<void> {
    return this.#closed.promise
  }

  /** Connects; not needed before run(). @throws KafkaJSError what kept it from connecting, after the retries */
  async connect(): Promise<void> {
    await this.#storage()
    this.#instrumentation.emit('consumer.connect', null)
  }

  /**
   * Stops, and lets go of all connections. Resolves within a second, whatever is going on: a handler that takes longer is
   * left to itself, and what it was working on counts as not done. `await stop()` first to let it end.
   */
  async disconnect(): Promise<void> {
    const stopping = this.#beginStop()
    if (!(await within(stopping.promise, HANDLER_GRACE_MS))) {
      this.#logger.warn('A handler did not end in time: what it works on counts as not done', {
        groupId: this.#settings.groupId,
      })
      stopping.resolve()
    }
    await within(this.#release(), RELEASE_GRACE_MS)
    this.#instrumentation.emit('consumer.disconnect', null)
  }

  /** Not there yet: it needs a consumer group. */
  async subscribe(subscription: ConsumerSubscribeTopics | ConsumerSubscribeTopic): Promise<void> {
    checkSubscription(subscription)
    throw this.#needsGroup('subscribe')
  }

  /**
   * Rivulet only: reads these partitions, without a group; positions are in the application's hands. Replaces the last
   * assignment. A partition that stays goes on where it is, unless an offset is given.
   *
   * @param assignment offset: where to start, as a number, a bigint or in decimal; '-1' is the log's end, '-2' its start;
   *   absent: as `autoOffsetReset` says
   * @throws KafkaJSNonRetriableError for an invalid topic, partition or offset
   */
  assign(assignment: readonly AssignmentRequest[]): void {
    this.#subscription.replace(parseAssignment(assignment, this.#settings.autoOffsetReset))
    this.#assigned = true
    this.#run?.session?.assignmentChanged()
  }

  /**
   * Starts handing out records, and resolves when that has begun. An error that no retry cures ends it: see `closed` and
   * the event `consumer.crash`.
   *
   * @throws KafkaJSNonRetriableError for an option that is wrong
   */
  async run(config: ConsumerRunConfig = {}): Promise<void> {
    const settings = parseRunConfig(config)
    if (this.#run !== null) {
      this.#logger.warn('consumer#run was called, but the consumer is already running', {
        groupId: this.#settings.groupId,
      })
      return
    }
    if (this.#closed.isOver) this.#closed = new Termination()
    const run: Run = { settings, session: null, restartTimer: null, stopping: null }
    this.#run = run
    await this.#start(run)
  }

  /** Hands out nothing further; resolves when handlers have ended their current message or batch. Positions stay. */
  async stop(): Promise<void> {
    await this.#beginStop().promise
  }

  /**
   * Goes on at another offset, at once: what is buffered is dropped, and the batch in hand is stale. The last seek wins.
   *
   * @throws KafkaJSNonRetriableError for an invalid argument, or when there is neither a run nor an assignment
   */
  seek(request: { topic: string; partition: number; offset: string | number | bigint }): void {
    const start = checkSeek(request)
    this.#checkInitialized()
    this.#subscription.seek(request.topic, request.partition, start)
    this.#run?.session?.changed()
  }

  /** Pauses partitions, or whole topics. @throws KafkaJSNonRetriableError as seek */
  pause(topics: { topic: string; partitions?: number[] }[] = []): void {
    checkPauses(topics, 'pause')
    this.#checkInitialized()
    this.#logger.info(`Pausing fetching from ${topics.length} topics`, { topicPartitions: topics })
    this.#subscription.pause(topics)
  }

  /** The assigned partitions that are paused. */
  paused(): TopicPartitions[] {
    return this.#subscription.paused()
  }

  /** Resumes partitions, or whole topics. @throws KafkaJSNonRetriableError as seek */
  resume(topics: { topic: string; partitions?: number[] }[] = []): void {
    checkPauses(topics, 'resume')
    this.#checkInitialized()
    this.#logger.info(`Resuming fetching from ${topics.length} topics`, { topicPartitions: topics })
    this.#subscription.resume(topics)
    this.#run?.session?.changed()
  }

  /** Not there yet: it needs a consumer group. */
  async commitOffsets(topicPartitions: TopicPartitionOffsetAndMetadata[] = []): Promise<void> {
    checkCommits(topicPartitions)
    throw this.#needsGroup('commitOffsets')
  }

  /** Not there yet: it needs a consumer group. */
  async describeGroup(): Promise<GroupDescription> {
    throw this.#needsGroup('describeGroup')
  }

  /**
   * Listens to an event, one of `consumer.events`.
   *
   * @returns a function that takes the listener away again
   * @throws KafkaJSNonRetriableError for an unknown name
   */
  on<T extends keyof RivuletConsumerEventPayloads>(
    eventName: T,
    listener: (event: InstrumentationEvent<RivuletConsumerEventPayloads[T]>) => void,
  ): () => void {
    return this.#instrumentation.on(eventName, listener)
  }

  logger(): Logger {
    return this.#logger
  }

  async #start(run: Run): Promise<void> {
    this.#logger.info('Starting', { groupId: this.#settings.groupId })
    try {
      const storage = await this.#storage()
      const reader = await storage.openReader()
      if (this.#run !== run || run.stopping !== null) {
        await reader.close()
        return
      }
      run.session = new RunSession({
        storage,
        reader,
        subscription: this.#subscription,
        budget: this.#budget,
        settings: this.#settings,
        run: run.settings,
        hooks: this.#hooks,
        instrumentation: this.#instrumentation,
        clientId: this.#context.clientId,
        logger: this.#logger,
        pause: (topic, partition) => this.pause([{ topic, partitions: [partition] }]),
        resume: (topic, partition) => this.resume([{ topic, partitions: [partition] }]),
        onCrash: (error) => void this.#crashed(run, error),
      })
    } catch (error) {
      if (this.#run === run && run.stopping === null) await this.#crashed(run, toKafkaJSError(error))
    }
  }

  /** Stops the run, if there is one. The termination is over when its handlers are, or when disconnect() gives them up. */
  #beginStop(): Termination {
    const run = this.#run
    if (run === null) {
      this.#logger.info('Stopped', { groupId: this.#settings.groupId })
      this.#closed.resolve()
      return Termination.over()
    }
    if (run.stopping !== null) return run.stopping
    const stopping = new Termination()
    run.stopping = stopping
    void this.#endSession(run, stopping).then(() => {
      if (this.#run === run) this.#run = null
      this.#logger.info('Stopped', { groupId: this.#settings.groupId })
      this.#closed.resolve()
    })
    return stopping
  }

  /** Ends the run's session, if it has one; `given` up from outside, it ends although handlers run on. */
  async #endSession(run: Run, given: Termination): Promise<void> {
    if (run.restartTimer !== null) clearTimeout(run.restartTimer)
    const { session } = run
    run.session = null
    if (session === null) {
      given.resolve()
      return
    }
    void session.stop().then(() => given.resolve())
    await given.promise
    this.#subscription.abandonWork()
    this.#instrumentation.emit('consumer.stop', null)
  }

  async #crashed(run: Run, error: KafkaJSError): Promise<void> {
    if (this.#run !== run || run.stopping !== null) return
    const { groupId } = this.#settings
    const retryCount = 'retryCount' in error ? error.retryCount : undefined
    this.#logger.error(`Crash: ${error.name}: ${error.message}`, { groupId, retryCount, stack: error.stack })

    const ended = new Termination()
    const ending = this.#endSession(run, ended)
    if (!(await within(ended.promise, HANDLER_GRACE_MS))) ended.resolve()
    await ending
    await within(this.#release(), RELEASE_GRACE_MS)
    this.#instrumentation.emit('consumer.disconnect', null)

    const restart = (await this.#shouldRestart(error)) && this.#run === run && run.stopping === null
    this.#instrumentation.emit('consumer.crash', { error, groupId, restart })
    if (this.#run !== run || run.stopping !== null) return
    if (!restart) {
      this.#run = null
      this.#closed.reject(error)
      return
    }
    const retryTime =
      'retryTime' in error && typeof error.retryTime === 'number'
        ? error.retryTime
        : retrySettings(this.#settings.retry).initialRetryTime
    this.#logger.error(`Restarting the consumer in ${retryTime}ms`, { retryCount, retryTime, groupId })
    run.restartTimer = setTimeout(() => {
      run.restartTimer = null
      void this.#start(run)
    }, retryTime)
  }

  async #shouldRestart(error: KafkaJSError): Promise<boolean> {
    const { restartOnFailure, groupId } = this.#settings
    if (error.name !== 'KafkaJSNumberOfRetriesExceeded' && !isRetriableAtHeart(error)) return false
    if (restartOnFailure === undefined) return true
    try {
      return await restartOnFailure(error)
    } catch (thrown) {
      this.#logger.error(
        'Caught error when invoking user-provided "restartOnFailure" callback. Defaulting to restarting.',
        { error: toError(thrown).message, cause: error.message, groupId },
      )
      return true
    }
  }

  /** The storage; connects if need be. */
  async #storage(): Promise<Storage> {
    if (this.#acquired === null) {
      const abort = new AbortController()
      const acquired = { storage: this.#context.storage.acquire(abort.signal), abort }
      this.#acquired = acquired
      acquired.storage.catch(() => {
        if (this.#acquired === acquired) this.#acquired = null
      })
    }
    return this.#acquired.storage
  }

  async #release(): Promise<void> {
    const acquired = this.#acquired
    if (acquired === null) return
    this.#acquired = null
    acquired.abort.abort(new KafkaJSNonRetriableError('The consumer was disconnected while it was connecting'))
    // What was not acquired owes no release.
    const isAcquired = await acquired.storage.then(
      () => true,
      () => false,
    )
    if (isAcquired) await this.#context.storage.release()
  }

  #checkInitialized(): void {
    if (this.#run !== null || this.#assigned) return
    throw new KafkaJSNonRetriableError('Consumer group was not initialized, consumer#run must be called first')
  }

  #needsGroup(method: string): KafkaJSNotImplemented {
    return new KafkaJSNotImplemented(
      `consumer.${method} needs a consumer group, which this version does not have: read partitions by consumer.assign`,
    )
  }
}

/** kafkajs's rule: what was wrong in the first place decides, as far as it says whether it can be retried. */
function isRetriableAtHeart(error: Error): boolean {
  let retriable = false
  let original: unknown = error
  // An application's error may be its own cause.
  for (let depth = 0; depth < MAX_CAUSES && original instanceof Error; depth++) {
    if ('retriable' in original) retriable = original.retriable === true
    original = original.cause
  }
  return retriable
}
