export const PEER_NAMES = ['rivulet', 'kafkajs', 'platformatic', 'bullmq', 'ioredis'] as const
export type PeerName = (typeof PEER_NAMES)[number]

export function isPeerName(name: string): name is PeerName {
  return (PEER_NAMES as readonly string[]).includes(name)
}

/** Where the servers are; what a peer's process is started with. */
export interface PeerSettings {
  /** A redis:// URL. */
  readonly redisUrl: string
  /** As in KAFKA_BROKERS; empty: there is none. */
  readonly kafkaBrokers: readonly string[]
  /** What all keys, topics and groups of this run begin with. */
  readonly prefix: string
}
