/** What the fields of a group's hash say. */
interface Stored {
  readonly group: ReadonlyMap<string, string>
  /** The latest deadline of a member, ms; null: it has none. */
  readonly lastDeadline: number | null
  /** The server's clock, ms. */
  readonly now: number
}

const TOPIC = 'topic:'

/**
 * Since when a group has been without members, ms; null: it has some. Where the deadlines of all have passed nobody is left to
 * take them out, and they count as gone; where one is alive, its heartbeats see to that.
 */
export function emptySince({ group, lastDeadline, now }: Stored): number | null {
  const field = group.get('emptySince') ?? ''
  if (field !== '') return Number(field)
  return lastDeadline !== null && lastDeadline <= now ? lastDeadline : null
}

/** The ids of the topics that the members subscribe. */
export function subscribedTopicIds(group: ReadonlyMap<string, string>): ReadonlySet<string> {
  const ids = new Set<string>()
  for (const [field, fact] of group) {
    const [topicId = ''] = fact.split(' ')
    if (field.startsWith(TOPIC)) ids.add(topicId)
  }
  return ids
}
