/** What a reader's process is to do. */
export interface ReaderTask {
  readonly name: string
  readonly url: string
  readonly namespace: string
  readonly groupId: string
}

/** What it says. */
export type ReaderMessage =
  /** What it owns from now on. */
  | { readonly type: 'owns'; readonly partitions: readonly number[] }
  /** Keys and values of consecutive records, the first of them at that offset. */
  | {
      readonly type: 'records'
      readonly partition: number
      readonly offset: number
      readonly records: readonly (readonly [key: string, value: string])[]
    }
  /** It reads no further. */
  | { readonly type: 'failed'; readonly reason: string }

export function isTask(value: unknown): value is ReaderTask {
  if (typeof value !== 'object' || value === null) return false
  const { name, url, namespace, groupId }: Partial<Record<keyof ReaderTask, unknown>> = value
  return [name, url, namespace, groupId].every((text) => typeof text === 'string')
}
