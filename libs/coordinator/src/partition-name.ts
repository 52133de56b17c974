/** A partition as groups store it: "<topic id>:<partition>". */
export function partitionName({
  topicId,
  partition,
}: {
  readonly topicId: string
  readonly partition: number
}): string {
  return `${topicId}:${partition}`
}

/** What a partition's name says. */
export function parsePartitionName(name: string): { readonly topicId: string; readonly partition: number } {
  const colon = name.lastIndexOf(':')
  return { topicId: name.slice(0, colon), partition: Number(name.slice(colon + 1)) }
}
