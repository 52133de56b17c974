import { partitionName } from '../src/partition-name.js'
import type { MemberListener, OwnedPartition } from '../src/types.js'

type State = 'owned' | 'revoking'

/**
 * Follows what listeners are told, and notes what must never be: two members with one partition, one that is told twice,
 * revoked twice, or lost without having been there.
 */
export class OwnershipLedger {
  readonly violations: string[] = []
  private readonly holders = new Map<string, Map<string, State>>()
  /** Revocations under way, whatever has become of the partition since. */
  private readonly revocations = new Map<string, Set<string>>()

  /**
   * @param mayOwn whether the member can still be the owner, as far as it can know
   * @param revoke what a revocation does besides
   */
  follow(
    name: string,
    listener: MemberListener,
    mayOwn: (name: string) => boolean,
    revoke: () => Promise<void>,
  ): MemberListener {
    const held = new Map<string, State>()
    const running = new Set<string>()
    this.holders.set(name, held)
    this.revocations.set(name, running)
    return {
      onRebalancing: () => listener.onRebalancing(),
      onSettled: (assignment) => {
        const keys = assignment.owned.map(partitionName).sort()
        const known = [...held.keys()].sort()
        if (keys.join() !== known.join())
          this.violations.push(`${name} is settled with ${keys.join()}, not ${known.join()}`)
        listener.onSettled(assignment)
      },
      onHeartbeat: () => listener.onHeartbeat(),
      onFailed: (error) => this.violations.push(`${name} has failed: ${String(error)}`),
      onAssigned: async (partitions) => {
        for (const key of partitions.map(partitionName)) {
          if (held.has(key)) this.violations.push(`${name} was given ${key} twice`)
          for (const [other, theirs] of this.holders) {
            if (other !== name && theirs.has(key) && mayOwn(other) && mayOwn(name))
              this.violations.push(`${name} was given ${key} of ${other}`)
          }
          held.set(key, 'owned')
        }
        await listener.onAssigned(partitions)
      },
      onLost: async (partitions) => {
        for (const key of partitions.map(partitionName)) {
          if (!held.delete(key)) this.violations.push(`${name} lost ${key}, which it did not have`)
        }
        await listener.onLost(partitions)
      },
      onRevoked: async (partitions) => {
        const keys = partitions.map(partitionName)
        for (const key of keys) {
          if (held.get(key) !== 'owned')
            this.violations.push(`${name} is to let go of ${key}, which is ${held.get(key)}`)
          if (running.has(key)) this.violations.push(`${name} is to let go of ${key} twice at a time`)
          running.add(key)
          held.set(key, 'revoking')
        }
        await this.revoked(name, partitions, listener, revoke)
      },
    }
  }

  /** The member has left. */
  left(name: string): void {
    this.holders.delete(name)
  }

  private async revoked(
    name: string,
    partitions: readonly OwnedPartition[],
    listener: MemberListener,
    revoke: () => Promise<void>,
  ): Promise<void> {
    await revoke()
    await listener.onRevoked(partitions)
    for (const key of partitions.map(partitionName)) {
      this.revocations.get(name)?.delete(key)
      // Lost meanwhile, and perhaps given anew: then it is not this revocation's any more.
      const held = this.holders.get(name)
      if (held?.get(key) === 'revoking') held.delete(key)
    }
  }
}
