/**
 * Where groups are.
 *
 *     <ns>:{meta}:groups   hash: group id → JSON
 *       {
 *         "id": "Zk3xVb0yR1uW8tqL5c9dEg",   the group's: random, 22 characters of base64url
 *         "shard": 7                        where its keys are
 *       }
 *
 * A group is made first and its entry put here afterwards, by whoever makes or joins it; deletion goes the other way round. So
 * an entry may be missing for a moment, which hides the group from the list of all, and one of a group that is gone is told by
 * its id. Which shard a group without an entry is on follows from its name.
 */
import { checkGroupId, KafkaError } from '@rivulet/protocol'
import { type GroupKeys, metaKeys, shardOf, type StorageBackend } from '@rivulet/storage'
import { putGroup } from '../scripts/put-group.js'

interface Entry {
  readonly id: string
  readonly shard: number
}

interface Place {
  readonly keys: GroupKeys
  readonly shard: number
  /** The group's id in the registry, as it was last seen there; null: it was not. */
  id: string | null
}

/** Groups whose place is remembered. */
const MOST_PLACES = 10_000
/** Changes of one entry by several clients at once: each round one of them gets through. */
const MAX_CONFLICTS = 50

export class GroupRegistry {
  readonly #places = new Map<string, Place>()

  constructor(private readonly backend: StorageBackend) {}

  /** The group's keys, whether it exists or not. @throws KafkaError INVALID_GROUP_ID, UNSUPPORTED_VERSION */
  async locate(groupId: string): Promise<GroupKeys> {
    return (await this.#place(groupId)).keys
  }

  /** Sees to it that a group that exists is in the registry, under the id that it has. */
  async ensure(groupId: string, id: string): Promise<void> {
    const place = await this.#place(groupId)
    if (place.id === id) return
    for (let conflicts = 0; conflicts < MAX_CONFLICTS; conflicts++) {
      const text = await this.#read(groupId)
      if (text !== null && decode(groupId, text).id === id) break
      const entry = JSON.stringify({ id, shard: place.shard } satisfies Entry)
      if (await putGroup(this.backend.connection, this.#namespace, { groupId, expected: text, entry })) break
      if (conflicts === MAX_CONFLICTS - 1) throw tooManyConflicts(groupId)
    }
    place.id = id
  }

  /**
   * Deletes a group by what deletes its keys, and takes its entry away: but not that of a group which is made meanwhile.
   */
  async remove(groupId: string, deleteKeys: (keys: GroupKeys) => Promise<void>): Promise<void> {
    const { keys } = await this.#place(groupId)
    const text = await this.#read(groupId)
    const unregister = async (): Promise<void> => {
      this.forget(groupId)
      if (text === null) return
      await putGroup(this.backend.connection, this.#namespace, { groupId, expected: text, entry: null })
    }
    try {
      await deleteKeys(keys)
    } catch (error) {
      // An entry without a group is what a client leaves behind that dies between the two steps.
      if (error instanceof KafkaError && error.type === 'GROUP_ID_NOT_FOUND') await unregister()
      throw error
    }
    await unregister()
  }

  /** The keys of all groups in the registry. One whose entry this release cannot read is left out. */
  async all(): Promise<ReadonlyMap<string, GroupKeys>> {
    const { connection, keyspace } = this.backend
    const entries = await connection.command((client) => client.hgetall(metaKeys(this.#namespace).groups), {
      operation: `groups of namespace ${this.#namespace}`,
    })
    const groups = new Map<string, GroupKeys>()
    for (const [groupId, text] of Object.entries(entries)) {
      const entry = tryDecode(text)
      if (entry !== null && entry.shard < keyspace.tags.length)
        groups.set(groupId, keyspace.group(groupId, entry.shard))
    }
    return groups
  }

  /** Looks the group up anew when it is needed next. */
  forget(groupId: string): void {
    this.#places.delete(groupId)
  }

  get #namespace(): string {
    return this.backend.keyspace.namespace
  }

  async #place(groupId: string): Promise<Place> {
    const known = this.#places.get(groupId)
    if (known !== undefined) return known
    checkGroupId(groupId)
    const text = await this.#read(groupId)
    const entry = text === null ? null : decode(groupId, text)
    const shard = entry?.shard ?? shardOf(groupId, 0, this.backend.keyspace.tags.length)
    const place = { keys: this.backend.keyspace.group(groupId, shard), shard, id: entry?.id ?? null }
    if (this.#places.size >= MOST_PLACES) this.#places.clear()
    this.#places.set(groupId, place)
    return place
  }

  #read(groupId: string): Promise<string | null> {
    const { groups } = metaKeys(this.#namespace)
    return this.backend.connection.command((client) => client.hget(groups, groupId), { group: groupId })
  }
}

function decode(groupId: string, text: string): Entry {
  const entry = tryDecode(text)
  if (entry !== null) return entry
  throw new KafkaError('UNSUPPORTED_VERSION', `the registry's entry of group ${groupId} cannot be read by this release`)
}

function tryDecode(text: string): Entry | null {
  try {
    const entry: unknown = JSON.parse(text)
    return isEntry(entry) ? entry : null
  } catch {
    return null
  }
}

function isEntry(value: unknown): value is Entry {
  if (typeof value !== 'object' || value === null || !('id' in value) || !('shard' in value)) return false
  const { id, shard } = value
  return typeof id === 'string' && typeof shard === 'number' && Number.isInteger(shard) && shard >= 0
}

const tooManyConflicts = (groupId: string): KafkaError =>
  new KafkaError('REQUEST_TIMED_OUT', `group ${groupId} was made and deleted by others ${MAX_CONFLICTS} times in a row`)
