import {
  type GroupAssigner,
  GroupMember,
  type GroupMembership,
  type MemberListener,
  RedisGroupStore,
} from '@rivulet/coordinator'
import type { Storage } from '@rivulet/storage'
import type { Logger } from '../types.js'
import { PartitionAssigners } from './assigners/partition-assigners.js'
import { toGroupAssigner } from './assigners/to-group-assigner.js'
import type { ConsumerSettings } from './consumer-settings.js'
import type { TopicSubscriptions } from './topic-subscriptions.js'

/** A consumer as its groups know it, one membership after the other. */
export class MemberProfile {
  private readonly assigners: readonly GroupAssigner[]

  /** @throws KafkaJSNonRetriableError for an entry of `partitionAssigners` that gives no assigner */
  constructor(
    private readonly clientId: string,
    private readonly settings: ConsumerSettings,
    readonly subscriptions: TopicSubscriptions,
    private readonly logger: Logger,
  ) {
    const { groupId, partitionAssigners } = settings
    this.assigners = (partitionAssigners ?? [PartitionAssigners.uniform]).map((assigner) =>
      toGroupAssigner(assigner, { groupId, logger }),
    )
  }

  /** A membership that has not joined yet. */
  membership(storage: Storage, listener: MemberListener): GroupMembership {
    const { groupId, groupInstanceId, sessionTimeout, rebalanceTimeout, heartbeatInterval, retry } = this.settings
    return new GroupMember({
      store: new RedisGroupStore(storage),
      topics: storage.topics,
      options: {
        groupId,
        clientId: this.clientId,
        instanceId: groupInstanceId,
        sessionTimeout,
        rebalanceTimeout,
        heartbeatInterval,
        assigners: this.assigners,
        subscription: this.subscriptions.subscription,
      },
      listener,
      logger: this.logger,
      retry,
    })
  }
}
