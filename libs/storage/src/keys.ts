/**
 * Every Redis key and channel of Rivulet is built here and nowhere else.
 *
 *     <ns>:{meta}:cluster                                   the namespace: format, id, shard tags, configuration
 *     <ns>:{meta}:topics                                    topic name → its registry entry
 *     <ns>:{meta}:groups                                    group id → its registry entry
 *     <ns>:{<tag>}:shard                                    how many bytes the shard may hold, and how many are left
 *     <ns>:{<tag>}:t:<topic>:<topic id>:<partition>:state   … :producers  … :epochs  … :segments  … :log:<n>
 *     <ns>:{<tag>}:g:<group>:group                          … :members  … :sessions  … :targets  … :held  … :owners
 *                                                           … :offsets
 *
 * The topic's id keeps a topic that was deleted and made again apart from its predecessor; its name lets a Redis ACL
 * grant one topic (`%RW~rivulet:{*}:t:orders:*`). Topic names are checked before they come here, and hold neither
 * colons nor braces. A group's id is any text: all but letters, digits, '.', '_' and '-' is percent-encoded in keys.
 */
import type { Partition } from './log/types.js'

export function metaKeys(namespace: string) {
  return {
    cluster: `${namespace}:{meta}:cluster`,
    topics: `${namespace}:{meta}:topics`,
    groups: `${namespace}:{meta}:groups`,
    /** The pub/sub channel on which each change of the registry is announced; the message is the topic's name. */
    changes: `${namespace}:{meta}:topics`,
  } as const
}

export class PartitionKeys {
  readonly shard: string
  readonly state: string
  readonly producers: string
  readonly epochs: string
  readonly segments: string
  /** What error messages say of it. */
  readonly context: { readonly topic: string; readonly partition: number }
  readonly #log: string
  /** The one last asked for is asked for again and again. */
  #latest = { segment: -1, log: '' }

  constructor(namespace: string, tag: string, topic: string, topicId: string, partition: number) {
    const prefix = `${namespace}:{${tag}}:t:${topic}:${topicId}:${partition}`
    this.shard = shardKey(namespace, tag)
    this.state = `${prefix}:state`
    this.producers = `${prefix}:producers`
    this.epochs = `${prefix}:epochs`
    this.segments = `${prefix}:segments`
    this.context = { topic, partition }
    this.#log = `${prefix}:log:`
  }

  log(segment: number): string {
    if (segment !== this.#latest.segment) this.#latest = { segment, log: this.#log + segment }
    return this.#latest.log
  }
}

export class GroupKeys {
  readonly group: string
  readonly members: string
  readonly sessions: string
  readonly targets: string
  readonly held: string
  readonly owners: string
  readonly offsets: string
  /** All of them, in the order in which the scripts take them. */
  readonly all: readonly string[]
  /** The pub/sub channel of what the group's members are told. */
  readonly messages: string
  /** What error messages say of it. */
  readonly context: { readonly group: string }

  constructor(namespace: string, tag: string, groupId: string) {
    const prefix = `${namespace}:{${tag}}:g:${encodeGroupId(groupId)}`
    this.group = `${prefix}:group`
    this.members = `${prefix}:members`
    this.sessions = `${prefix}:sessions`
    this.targets = `${prefix}:targets`
    this.held = `${prefix}:held`
    this.owners = `${prefix}:owners`
    this.offsets = `${prefix}:offsets`
    this.all = [this.group, this.members, this.sessions, this.targets, this.held, this.owners, this.offsets]
    this.messages = `${prefix}:messages`
    this.context = { group: groupId }
  }
}

/** As a part of keys, of ACL patterns and of channel names: neither a brace nor a colon nor a star may be left. */
function encodeGroupId(groupId: string): string {
  return encodeURIComponent(groupId).replace(
    /[!~*'()]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

function shardKey(namespace: string, tag: string): string {
  return `${namespace}:{${tag}}:shard`
}

/** The keys of partitions and groups, for one namespace whose shards are known. */
export class Keyspace {
  readonly #handles = new WeakMap<Partition, PartitionKeys>()

  constructor(
    readonly namespace: string,
    /** The hash tag of each shard, by the shard's number. */
    readonly tags: readonly string[],
  ) {}

  of(partition: Partition): PartitionKeys {
    let keys = this.#handles.get(partition)
    if (keys === undefined) {
      keys = new PartitionKeys(
        this.namespace,
        this.tag(partition.shard),
        partition.topic,
        partition.topicId,
        partition.partition,
      )
      this.#handles.set(partition, keys)
    }
    return keys
  }

  group(groupId: string, shard: number): GroupKeys {
    return new GroupKeys(this.namespace, this.tag(shard), groupId)
  }

  tag(shard: number): string {
    const tag = this.tags[shard]
    if (tag === undefined) throw new RangeError(`shard ${shard} of namespace ${this.namespace} does not exist`)
    return tag
  }

  shards(): string[] {
    return this.tags.map((tag) => shardKey(this.namespace, tag))
  }
}
