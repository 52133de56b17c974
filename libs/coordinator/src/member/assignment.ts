import { KafkaError } from '@rivulet/protocol'
import type { StorageLogger } from '@rivulet/storage'
import type {
  AssignmentInput,
  GroupAssigner,
  GroupSnapshot,
  GroupStore,
  TargetAssignment,
  TopicFacts,
} from '../types.js'
import {
  assignmentInput,
  checkTarget,
  type CheckedTarget,
  sharedAssigners,
  subscribedTopics,
} from './assignment-input.js'
import { factsOf, topicsByName, type Topics } from './subscription.js'

export interface AssignmentParts {
  readonly store: Pick<GroupStore, 'snapshot' | 'install'>
  readonly topics: Pick<Topics, 'refresh'>
  readonly groupId: string
  readonly assigners: readonly GroupAssigner[]
  /** How long an assigner may take, ms. */
  readonly timeout: number
  /** Whether nobody wants this member's assignment any more. */
  readonly isOver: (memberId: string) => boolean
  readonly logger: StorageLogger
  /** The assigner gave this member topics that it does not want. */
  readonly onUnsubscribedTopics: (topics: readonly string[]) => void
  readonly onInstalled: () => void
  /** It could not be done just now: if it is still to be done, the group says so again. */
  readonly onInterrupted: (error: KafkaError) => void
  /** It cannot be done: the assigner has failed, or what trying again does not cure. */
  readonly onFailed: (error: unknown) => void
}

/** A group that changes faster than it is assigned: after so many tries in a row somebody else may try. */
const MAX_TRIES = 20
/** Lines about what an assigner did wrong. */
const MAX_LINES = 10

/** Computes target assignments for a group, and installs them. */
export class Assignment {
  readonly #parts: AssignmentParts
  /** Ends the wait for the assigner. */
  #giveUp: ((error: KafkaError) => void) | null = null
  #isUnderWay = false
  /** Who was asked meanwhile: what is under way may have looked at the group before it changed. */
  #askedAgain: string | null = null

  constructor(parts: AssignmentParts) {
    this.#parts = parts
  }

  /** Begins; where it is under way, once more afterwards. */
  begin(memberId: string): void {
    if (this.#isUnderWay) this.#askedAgain = memberId
    else void this.#run(memberId)
  }

  /** What is under way is waited for no longer. */
  stop(): void {
    this.#giveUp?.(new KafkaError('CLIENT_CLOSED', `group ${this.#parts.groupId} was left`))
  }

  async #run(memberId: string): Promise<void> {
    const { isOver, onInstalled, onInterrupted, onFailed } = this.#parts
    this.#isUnderWay = true
    try {
      if (await this.#install(memberId)) onInstalled()
    } catch (error) {
      if (isOver(memberId)) return
      if (error instanceof AssignerFailure) onFailed(error.cause)
      else if (error instanceof KafkaError && error.retriable) onInterrupted(error)
      else onFailed(error)
    } finally {
      this.#isUnderWay = false
      const again = this.#askedAgain
      this.#askedAgain = null
      if (again !== null && !isOver(again)) this.begin(again)
    }
  }

  /** @returns whether a target was installed: not where the group has one already, or changes again and again */
  async #install(memberId: string): Promise<boolean> {
    const { store, groupId, isOver } = this.#parts
    for (let tries = 0; tries < MAX_TRIES && !isOver(memberId); tries++) {
      const snapshot = await store.snapshot(groupId)
      if (snapshot === null || !snapshot.members.has(memberId)) return false
      if (snapshot.assignmentEpoch >= snapshot.epoch) return false
      const topics = await this.#topics(snapshot)
      const protocols = sharedAssigners(snapshot.members.values())
      const assigner = this.#parts.assigners.find(({ name }) => protocols.includes(name))
      if (assigner === undefined) throw noSharedAssigner(groupId)
      const target = await this.#assign(assigner, assignmentInput(snapshot, topics, assigner.name), memberId)
      const installation = {
        assigner: assigner.name,
        leaderId: memberId,
        target,
        topics: [...topics.values()],
        protocols,
      }
      if (!isOver(memberId) && (await store.install(groupId, snapshot.epoch, installation))) return true
    }
    return false
  }

  /** From the registry: what another member has seen of a topic must not be missing here. */
  async #topics(snapshot: GroupSnapshot): Promise<ReadonlyMap<string, TopicFacts>> {
    const { topics, logger } = this.#parts
    const found = await topicsByName(subscribedTopics(snapshot.members.values()), topics, logger)
    return new Map(found.map((topic) => [topic.name, factsOf(topic)]))
  }

  async #assign(assigner: GroupAssigner, input: AssignmentInput, memberId: string): Promise<TargetAssignment> {
    const { groupId, logger, onUnsubscribedTopics } = this.#parts
    const { target, refused, unsubscribed } = await this.#askAndCheck(assigner, input)
    if (refused.length > 0) {
      logger.warn(`group ${groupId}: the assigner ${assigner.name} returned what cannot be assigned; it is left out`, {
        refused: refused.slice(0, MAX_LINES),
        count: refused.length,
      })
    }
    const own = unsubscribed.get(memberId)
    if (own !== undefined) onUnsubscribedTopics([...own])
    return target
  }

  /** What an application's assigner throws is its own, whatever it looks like. */
  async #askAndCheck(assigner: GroupAssigner, input: AssignmentInput): Promise<CheckedTarget> {
    try {
      return checkTarget(await this.#ask(assigner, input), input)
    } catch (error) {
      throw new AssignerFailure(`the assigner ${assigner.name} has failed`, { cause: error })
    }
  }

  async #ask(assigner: GroupAssigner, input: AssignmentInput): Promise<TargetAssignment> {
    let timer: NodeJS.Timeout | undefined
    const givenUp = new Promise<never>((_, reject) => {
      const message = `the assigner ${assigner.name} has not answered within ${this.#parts.timeout} ms`
      timer = setTimeout(() => reject(new KafkaError('REQUEST_TIMED_OUT', message)), this.#parts.timeout)
      this.#giveUp = reject
    })
    try {
      return await Promise.race([assigner.assign(input), givenUp])
    } finally {
      clearTimeout(timer)
      this.#giveUp = null
    }
  }
}

/** Wraps what an assigner throws, to tell it from what the store throws. */
class AssignerFailure extends Error {}

const noSharedAssigner = (groupId: string): KafkaError =>
  new KafkaError('INCONSISTENT_GROUP_PROTOCOL', `the members of group ${groupId} share no assigner`)
