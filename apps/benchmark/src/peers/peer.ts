import type { Member, MemberListener } from './group-member.js'

/** What is sent: kafkajs's message, with the topic, which platformatic wants in each. All peers get the same objects. */
export interface BenchRecord {
  readonly topic: string
  readonly key: string
  readonly value: string
}

export interface Topic {
  readonly name: string
  readonly partitions: number
}

/** What makes members of consumer groups, for the peers that have such. */
export interface GroupMaker {
  /** A name that no other group has. */
  newGroup(): string
  /** @returns what joins, once it is called; until then nothing but a connection is there */
  member(group: string, options?: MemberTimes): Promise<(topic: Topic, listener: MemberListener) => Promise<Member>>
  /** Deletes a group that has no members any more. */
  deleteGroup(group: string): Promise<void>
}

/** In ms; what is left out is the client's default. */
export interface MemberTimes {
  readonly sessionTimeout?: number
  readonly heartbeatInterval?: number
}

/** How records are handed out: many in one call of the handler, or one. */
export type Unit = 'batch' | 'message'

/** Where a peer's handler reports what it got. */
export interface Sink {
  /** Whether `at` is to be called for each record; not while time is measured. */
  readonly checking: boolean
  take(records: number, valueBytes: number): void
  at(partition: number, offset: string): void
}

/**
 * What the works ask of each client that is measured, by its own most natural means. Answer: what one send gives, as the
 * client gives it.
 */
export interface Peer<Answer> {
  /** How many records a second eachBatch can be expected to give: that many are produced to be consumed. */
  readonly expectedRate: number
  /** Whether consuming takes records away, so that they can be read once only. */
  readonly consumesOnce: boolean
  /** @returns what is measured, with versions */
  connect(): Promise<string>
  createTopic(topic: Topic): Promise<void>
  deleteTopic(topic: Topic): Promise<void>
  /** Resolves when the records, all of that topic, are acknowledged. */
  send(topic: Topic, records: BenchRecord[]): Promise<Answer>
  /** Where the answer says that records are, such as partition:offset: no two answers may have one in common. */
  positions(answer: Answer): string[]
  /** How many records the topic holds. */
  stored(topic: Topic): Promise<number>
  /** Reads the topic from its beginning. @returns what stops that */
  consume(topic: Topic, unit: Unit, sink: Sink): Promise<() => Promise<void>>
  /** Absent: it has no consumer groups, or none that are compared. */
  readonly groups?: GroupMaker
  /** As consume, by a group of one; absent: that is what consume does. */
  consumeAsGroup?(topic: Topic, unit: Unit, sink: Sink): Promise<() => Promise<void>>
  close(): Promise<void>
}

/** The peer cannot take part; the message says what is missing. */
export class MissingPeer extends Error {
  override readonly name = 'MissingPeer'
}
