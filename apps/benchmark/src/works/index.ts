import { eachBatch, eachMessage } from './consuming.js'
import { groupAgainstAssignment } from './group-against-assignment.js'
import { largeGroup, rebalance } from './groups.js'
import { idleGroup } from './idle-group.js'
import { killedMember } from './killed-member.js'
import { latency } from './latency.js'
import { manyPartitions } from './many-partitions.js'
import { memory } from './memory.js'
import { oneAtATime } from './one-at-a-time.js'
import { sendsOf100, sendsOf1000, singleSends } from './throughput.js'
import type { Work } from './work.js'

export const WORKS: readonly Work[] = [
  sendsOf1000,
  sendsOf100,
  singleSends,
  oneAtATime,
  eachBatch,
  eachMessage,
  latency,
  memory,
  manyPartitions,
  rebalance,
  killedMember,
  largeGroup,
  groupAgainstAssignment,
  idleGroup,
]
