/**
 * Every Redis key and channel of Rivulet is built here and nowhere else.
 *
 *     <ns>:{meta}:cluster                                   the namespace: format, id, shard tags, configuration
 *     <ns>:{meta}:topics                                    topic name → its registry entry
 *     <ns>:{<tag>}:shard                                    bytes held by the shard, and how many it may hold
 *     <ns>:{<tag>}:t:<topic>:<topic id>:<partition>:state   … :producers  … :epochs  … :segments  … :log:<n>
 *
 * The topic's id keeps a topic that was deleted and made again apart from its predecessor; its name lets a Redis ACL
 * grant one topic (`%RW~rivulet:{*}:t:orders:*`). Topic names are checked before they come here, and hold neither
 * colons nor braces.
 */
import type { Partition } from './log/types.js'

export function metaKeys(namespace: string) {
  return {
    cluster: `${namespace}:{meta}:cluster`,
    topics: `${namespace}:{meta}:topics`,
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
    return this.#log + segment
  }
}

function shardKey(namespace: string, tag: string): string {
  return `${namespace}:{${tag}}:shard`
}

/** The keys of partitions, for one namespace whose shards are known. */
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

  tag(shard: number): string {
    const tag = this.tags[shard]
    if (tag === undefined) throw new RangeError(`shard ${shard} of namespace ${this.namespace} does not exist`)
    return tag
  }

  shards(): string[] {
    return this.tags.map((tag) => shardKey(this.namespace, tag))
  }
}
