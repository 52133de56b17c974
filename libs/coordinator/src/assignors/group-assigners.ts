import type { GroupAssigner, TargetAssignment } from '../types.js'
import type { Assignor, AssignorInput } from './assignor.js'
import { range } from './range.js'
import { roundRobin } from './round-robin.js'
import { sticky } from './sticky.js'

/** An assigner that needs no metadata, and answers at once. */
export interface BuiltInAssigner extends GroupAssigner {
  assign(input: AssignorInput): TargetAssignment
}

const noMetadata = Buffer.alloc(0)

const builtIn = (name: string, assign: Assignor): BuiltInAssigner => ({ name, metadata: () => noMetadata, assign })

/** Kafka's assignors, by the names that they have there. */
export const groupAssigners = {
  /** Each topic cut into runs of partitions, one a member: topics with equal numbers of partitions are cut alike. */
  range: builtIn('range', range),
  /** The partitions of all topics dealt to the members in turn. */
  roundRobin: builtIn('roundrobin', roundRobin),
  /** `uniform` by the name that Kafka's clients have for it: here every assigner's moves are cooperative. */
  cooperativeSticky: builtIn('cooperative-sticky', sticky),
  /** As even as the subscriptions allow, with as few moves as that takes. */
  uniform: builtIn('uniform', sticky),
} as const
