interface TopicPauses {
  /** Every partition of the topic, but those of `resumed`. */
  all: boolean
  readonly paused: Set<number>
  readonly resumed: Set<number>
}

export interface PauseRequest {
  readonly topic: string
  /** Absent: all of the topic's partitions, those that are assigned later included. */
  readonly partitions?: readonly number[]
}

/**
 * What the application has paused. By topic and number, not by assignment: a pause outlives a rebalance, and can name
 * partitions that are not assigned at the moment.
 */
export class PausedPartitions {
  private readonly topics = new Map<string, TopicPauses>()

  pause(requests: readonly PauseRequest[]): void {
    for (const { topic, partitions } of requests) {
      const pauses = this.of(topic)
      if (partitions === undefined) {
        pauses.all = true
        pauses.paused.clear()
        pauses.resumed.clear()
      } else {
        for (const partition of partitions) {
          pauses.paused.add(partition)
          pauses.resumed.delete(partition)
        }
      }
    }
  }

  resume(requests: readonly PauseRequest[]): void {
    for (const { topic, partitions } of requests) {
      const pauses = this.of(topic)
      if (partitions === undefined) {
        pauses.all = false
        pauses.paused.clear()
        pauses.resumed.clear()
      } else {
        for (const partition of partitions) {
          pauses.paused.delete(partition)
          if (pauses.all) pauses.resumed.add(partition)
        }
      }
    }
  }

  has(topic: string, partition: number): boolean {
    const pauses = this.topics.get(topic)
    if (pauses === undefined) return false
    return pauses.paused.has(partition) || (pauses.all && !pauses.resumed.has(partition))
  }

  private of(topic: string): TopicPauses {
    let pauses = this.topics.get(topic)
    if (pauses === undefined) {
      pauses = { all: false, paused: new Set(), resumed: new Set() }
      this.topics.set(topic, pauses)
    }
    return pauses
  }
}
