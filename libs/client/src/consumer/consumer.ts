import { RedisGroupStore } from '@rivulet/coordinator'
import { describeGroup } from '../admin/groups.js'
import { bindMethods } from '../bind-methods.js'
import type { ClientContext } from '../client-context.js'
import { KafkaJSNonRetriableError, toKafkaJSError } from '../errors.js'
import type { KafkaJSError } from '../errors.js'
import { Instrumentation } from '../instrumentation.js'
import { createRetry } from '../retry.js'
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
import { within } from '../within.js'
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
import { ConsumerRun } from './consumer-run.js'
import {
  type ConsumerSettings,
  parseConsumerConfig,
  parseRunConfig,
  type AnyConsumerConfig,
  type RunSettings,
} from './consumer-settings.js'
import { ensureTopic } from './ensure-topic.js'
import { MemberProfile } from './member-profile.js'
import { finalError } from './retry-state.js'
import { RunSession } from './run-session.js'
import { StorageLease } from './storage-lease.js'
import { SubscriptionState } from './subscription-state.js'
import { Termination } from './termination.js'
import { TopicSubscriptions } from './topic-subscriptions.js'

/** disconnect() resolves within a second: so long ending the run may take, ms; letting go of the connections takes the rest. */
const STOP_GRACE_MS = 700

/**
 * Reads partitions: those that its group gives it of the topics subscribed, or, without a group, those that it was
 * assigned. Methods can be taken off the object.
 */
export class Consumer {
  readonly events: RivuletConsumerEvents = RIVULET_CONSUMER_EVENTS
  readonly #context: ClientContext
  readonly #storage: StorageLease
  readonly #settings: ConsumerSettings
  readonly #logger: Logger
  readonly #instrumentation: Instrumentation<RivuletConsumerEventPayloads>
  readonly #budget: BufferBudget
  readonly #subscription: SubscriptionState
  readonly #profile: MemberProfile
  #assigned = false
  #run: ConsumerRun | null = null
  #closed = new Termination()

  /** @throws KafkaJSNonRetriableError for an option that is wrong, naming it and its value */
  constructor(context: ClientContext, config: AnyConsumerConfig = {}) {
    this.#context = context
    this.#storage = new StorageLease(context.storage)
    this.#logger = context.logger.namespace('Consumer')
    this.#settings = parseConsumerConfig(config, context.retry, this.#logger)
    this.#instrumentation = new Instrumentation('consumer', this.events, this.#logger)
    this.#budget = new BufferBudget(this.#settings.maxBytes)
    this.#subscription = new SubscriptionState(this.#budget)
    const subscriptions = new TopicSubscriptions(this.#settings.autoOffsetReset)
    this.#profile = new MemberProfile(context.clientId, this.#settings, subscriptions, this.#logger)
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
    await this.#storage.get()
    this.#instrumentation.emit('consumer.connect', null)
  }

  /**
   * Stops, and lets go of all connections. Resolves within a second, whatever is going on: a handler that takes longer is
   * left to itself, and what it was working on counts as not done. `await stop()` first to let it end.
   */
  async disconnect(): Promise<void> {
    const run = this.#run
    if (run === null) this.#stopped(null)
    else {
      const stopping = run.stop()
      await within(Promise.all([run.hurry(), stopping]), STOP_GRACE_MS)
    }
    await this.#storage.release()
    this.#instrumentation.emit('consumer.disconnect', null)
  }

  /**
   * Adds topics to what the group's members want; before run(). Topics that do not exist are made, where
   * `allowAutoTopicCreation` and the namespace's auto.create.topics.enable allow it. A regular expression also covers
   * topics that are made later.
   *
   * @throws KafkaJSNonRetriableError for an invalid topic, while the consumer runs, or without a groupId;
   *   KafkaJSProtocolError UNKNOWN_TOPIC_OR_PARTITION for a topic that does not exist and may not be made
   */
  async subscribe(subscription: ConsumerSubscribeTopics | ConsumerSubscribeTopic): Promise<void> {
    if (this.#run !== null) throw new KafkaJSNonRetriableError('Cannot subscribe to topic while consumer is running')
    const topics = checkSubscription(subscription)
    this.#needsGroup('subscribe')
    this.#profile.subscriptions.add(topics, subscription.fromBeginning)
    const { topics: registry } = await this.#storage.get()
    const names = topics.filter((topic) => typeof topic === 'string')
    await Promise.all(names.map((name) => ensureTopic(registry, name, this.#settings, this.#logger)))
  }

  /**
   * Rivulet only: reads these partitions, without a group; positions are in the application's hands. Replaces the last
   * assignment. A partition that stays goes on where it is, unless an offset is given.
   *
   * @param assignment offset: where to start, as a number, a bigint or in decimal; '-1' is the log's end, '-2' its start;
   *   absent: as `autoOffsetReset` says
   * @throws KafkaJSNonRetriableError for an invalid topic, partition or offset, or where the consumer has a groupId
   */
  assign(assignment: readonly AssignmentRequest[]): void {
    if (this.#hasGroup) {
      throw new KafkaJSNonRetriableError(
        `consumer.assign reads partitions without a group, but this consumer has the groupId '${this.#settings.groupId}': ` +
          'leave the groupId out, or let the group assign partitions (consumer.subscribe)',
      )
    }
    this.#subscription.replace(parseAssignment(assignment, this.#settings.autoOffsetReset))
    this.#assigned = true
    this.#run?.session?.assignmentChanged()
  }

  /**
   * Starts handing out records: joins the group, if there is one, and resolves when it has. An error that no retry cures
   * ends it: see `closed` and the event `consumer.crash`.
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
    const run = new ConsumerRun({
      settings: this.#settings,
      instrumentation: this.#instrumentation,
      logger: this.#logger,
      open: (onCrash) => this.#openSession(settings, onCrash),
      onSessionEnd: () => {
        if (this.#hasGroup) this.#subscription.clear({ forgetPauses: false })
        else this.#subscription.abandonWork()
      },
      release: () => this.#storage.release(),
      onEnd: (error) => {
        if (this.#run === run) this.#run = null
        if (this.#hasGroup) this.#subscription.clear({ forgetPauses: true })
        this.#stopped(error)
      },
    })
    this.#run = run
    await run.start()
  }

  /**
   * Hands out nothing further; resolves when handlers have ended their current message or batch, what was done is
   * committed and the group is left. In a group, a handler without progress for `maxPollIntervalMs` is given up: what it
   * works on counts as not done. Without a group, positions stay.
   */
  async stop(): Promise<void> {
    if (this.#run === null) this.#stopped(null)
    else await this.#run.stop()
  }

  /**
   * Goes on at another offset, at once: what is buffered is dropped, and the batch in hand is stale. The last seek wins.
   * With autoCommit the offset is committed. For a partition that is not assigned it waits until it is.
   *
   * @throws KafkaJSNonRetriableError for an invalid argument, or when there is neither a run nor an assignment
   */
  seek(request: { topic: string; partition: number; offset: string | number | bigint }): void {
    const start = checkSeek(request)
    this.#checkInitialized()
    const session = this.#run?.session
    const target = session?.group ?? this.#subscription
    target.seek(request.topic, request.partition, start)
    session?.changed()
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

  /**
   * Commits offsets: each is the next one to read.
   *
   * @throws KafkaJSNonRetriableError for an invalid argument, before run(), or with the refusal as its cause
   *   (ILLEGAL_GENERATION: the partition is another member's)
   */
  async commitOffsets(topicPartitions: TopicPartitionOffsetAndMetadata[] = []): Promise<void> {
    checkCommits(topicPartitions)
    this.#needsGroup('commitOffsets')
    const group = this.#run?.group ?? null
    if (group === null) throw notInitialized()
    await createRetry(this.#settings.retry)(async (bail) => {
      try {
        await group.commits.commitOffsets(topicPartitions)
      } catch (thrown) {
        const error = toKafkaJSError(thrown)
        if (!error.retriable) bail(finalError(error))
        throw error
      }
    })
  }

  /** The consumer's group: its state and members. @throws KafkaJSError what kept it from being read */
  async describeGroup(): Promise<GroupDescription> {
    this.#needsGroup('describeGroup')
    const groups = new RedisGroupStore(await this.#storage.get())
    return createRetry(this.#settings.retry)(async () => {
      try {
        return await describeGroup(groups, this.#settings.groupId)
      } catch (error) {
        throw toKafkaJSError(error)
      }
    })
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

  get #hasGroup(): boolean {
    return this.#settings.groupId !== ''
  }

  #stopped(error: KafkaJSError | null): void {
    if (error !== null) return this.#closed.reject(error)
    this.#logger.info('Stopped', { groupId: this.#settings.groupId })
    this.#closed.resolve()
  }

  async #openSession(run: RunSettings, onCrash: (error: KafkaJSError) => void): Promise<RunSession> {
    const storage = await this.#storage.get()
    const reader = await storage.openReader()
    return new RunSession({
      storage,
      reader,
      subscription: this.#subscription,
      budget: this.#budget,
      settings: this.#settings,
      run,
      profile: this.#hasGroup ? this.#profile : null,
      instrumentation: this.#instrumentation,
      clientId: this.#context.clientId,
      logger: this.#logger,
      pause: (topic, partition) => this.pause([{ topic, partitions: [partition] }]),
      resume: (topic, partition) => this.resume([{ topic, partitions: [partition] }]),
      onCrash,
    })
  }

  #checkInitialized(): void {
    if (this.#run === null && !this.#assigned) throw notInitialized()
  }

  /** @throws KafkaJSNonRetriableError without a groupId */
  #needsGroup(method: string): void {
    if (this.#hasGroup) return
    throw new KafkaJSNonRetriableError(
      `consumer.${method} needs a group: give kafka.consumer a groupId, or read partitions by consumer.assign`,
    )
  }
}

function notInitialized(): KafkaJSNonRetriableError {
  return new KafkaJSNonRetriableError('Consumer group was not initialized, consumer#run must be called first')
}
