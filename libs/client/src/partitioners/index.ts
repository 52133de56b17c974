import { randomInt } from 'node:crypto'
import { legacyMurmur2, murmur2 } from '@rivulet/protocol'
import type { ICustomPartitioner, PartitionMetadata } from '../types.js'

type Hash = (key: Uint8Array | string) => number

const positive = (n: number): number => n & 0x7fffffff

/** The available partitions of a topic, found once for as long as its metadata is the same. */
const availableOf = new WeakMap<readonly PartitionMetadata[], readonly PartitionMetadata[]>()

/** The partition at a turn of the round robin, among those that have a leader. */
function atTurn(turn: number, partitions: readonly PartitionMetadata[]): number {
  let available = availableOf.get(partitions)
  if (available === undefined) {
    available = partitions.filter(({ leader }) => leader >= 0)
    availableOf.set(partitions, available)
  }
  return available[turn % available.length]?.partitionId ?? turn % partitions.length
}

/**
 * The message's own partition, else the hash of its key (`hash & 0x7fffffff % partitions`), else round robin over the
 * partitions that have a leader, from a random start for each topic.
 */
const byHash = (hash: Hash): ICustomPartitioner => {
  return () => {
    const turns = new Map<string, number>()
    return ({ topic, partitionMetadata, message: { partition, key } }) => {
      if (partition !== null && partition !== undefined) return partition
      if (key !== null && key !== undefined) {
        // A program in JavaScript may give a number, whose text it then is.
        const bytes: Uint8Array | string = typeof key === 'string' || key instanceof Uint8Array ? key : String(key)
        return positive(hash(bytes)) % partitionMetadata.length
      }
      const turn = positive((turns.get(topic) ?? randomInt(2 ** 31)) + 1)
      turns.set(topic, turn)
      return atTurn(turn, partitionMetadata)
    }
  }
}

/** Kafka's own: murmur2. */
const DefaultPartitioner = byHash(murmur2)

export const Partitioners: {
  readonly DefaultPartitioner: ICustomPartitioner
  readonly LegacyPartitioner: ICustomPartitioner
  readonly JavaCompatiblePartitioner: ICustomPartitioner
} = {
  DefaultPartitioner,
  /** The default of kafkajs before 2.0, whose murmur2 differs: for topics that were written with it. */
  LegacyPartitioner: byHash(legacyMurmur2),
  /** @deprecated use DefaultPartitioner */
  JavaCompatiblePartitioner: DefaultPartitioner,
}
