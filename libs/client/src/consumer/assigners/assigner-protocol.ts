import type { Assignment } from '../../types.js'
import { bytes, int16, int32, list, ProtocolReader, text } from './protocol-bytes.js'

export interface ISerializer<T> {
  encode(value: T): Buffer
  decode(buffer: Buffer): T | null
}

/** What a member tells an assigner of itself. */
export type MemberMetadata = {
  version: number
  topics: string[]
  userData: Buffer
}

/** What an assigner gives a member. */
export type MemberAssignment = {
  version: number
  assignment: Assignment
  userData: Buffer
}

interface ProtocolSerializers {
  readonly MemberMetadata: ISerializer<MemberMetadata>
  readonly MemberAssignment: ISerializer<MemberAssignment>
}

const none = Buffer.alloc(0)

/**
 * How Kafka's consumer protocol writes what members and assigners tell each other, byte by byte as kafkajs. User data is
 * optional when encoding, and an empty buffer when decoding where there is none. Fields that later versions of the protocol
 * add are skipped.
 *
 * @throws KafkaJSNonRetriableError what cannot be encoded or decoded
 */
export const AssignerProtocol: ProtocolSerializers = {
  MemberMetadata: {
    encode({ version, topics, userData = none }: { version: number; topics: string[]; userData?: Buffer }) {
      return Buffer.concat([int16(version), list(topics, text), bytes(userData)])
    },
    decode(buffer) {
      const reader = new ProtocolReader(buffer, 'member metadata')
      return { version: reader.int16(), topics: reader.list(() => reader.text()), userData: reader.bytes() }
    },
  },
  MemberAssignment: {
    encode({ version, assignment, userData = none }: { version: number; assignment: Assignment; userData?: Buffer }) {
      const topics = list(Object.entries(assignment), ([topic, partitions]) =>
        Buffer.concat([text(topic), list(partitions, int32)]),
      )
      return Buffer.concat([int16(version), topics, bytes(userData)])
    },
    /** Null: there are no bytes, which is how the protocol says that there is no assignment. */
    decode(buffer) {
      const reader = new ProtocolReader(buffer, 'member assignment')
      if (buffer.length < 2) return null
      const version = reader.int16()
      const topics = reader.list((): [string, number[]] => [reader.text(), reader.list(() => reader.int32())])
      return { version, assignment: Object.fromEntries(topics), userData: reader.bytes() }
    },
  },
}
