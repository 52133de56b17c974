import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { startProgram } from './child-program.js'
import { type Course, type GroupLedger, type HandledRecord, logOf, type StoredCommit } from './group-ledger.js'
import { GROUP, type GroupMember } from './recorded-group.js'

/** What a member's process tells of itself. */
export type MemberEvent =
  | { readonly kind: 'given'; readonly topic: string; readonly partition: number }
  | { readonly kind: 'begun' | 'done'; readonly record: HandledRecord }
  | { readonly kind: 'committed'; readonly commit: StoredCommit }
  | { readonly kind: 'joined' }

export interface MemberProcessOptions {
  readonly name: string
  readonly url: string
  readonly namespace: string
  readonly topic: string
  /** ms */
  readonly sessionTimeout: number
  readonly ledger: GroupLedger
}

/** A member of the group in a process of its own, which can be frozen and killed. */
export class MemberProcess implements GroupMember {
  readonly name: string
  readonly topics: ReadonlySet<string>
  /** Resolves when it has joined. */
  readonly joined: Promise<void>
  private readonly child
  private readonly exited: Promise<unknown>
  private readonly ledger: GroupLedger
  private readonly courses = new Map<string, Course>()
  private onJoined: () => void = () => undefined

  constructor({ name, url, namespace, topic, sessionTimeout, ledger }: MemberProcessOptions) {
    this.name = name
    this.topics = new Set([topic])
    this.ledger = ledger
    this.joined = new Promise((resolve) => {
      this.onJoined = resolve
    })
    this.child = startProgram('group-member-program.ts', url, namespace, GROUP, topic, String(sessionTimeout))
    this.exited = once(this.child, 'exit')
    createInterface({ input: this.child.stdout }).on('line', (line) => {
      // The last line may be cut off by the kill.
      if (!line.endsWith('}')) return
      const event: unknown = JSON.parse(line)
      if (isMemberEvent(event)) this.told(event)
    })
  }

  /** Ends in the midst of what it is at. */
  async kill(): Promise<void> {
    this.ledger.isReplaced(this.name)
    this.child.kill('SIGKILL')
    await this.exited
  }

  freeze(): void {
    this.ledger.isReplaced(this.name)
    this.child.kill('SIGSTOP')
  }

  thaw(): void {
    this.child.kill('SIGCONT')
  }

  close(): Promise<void> {
    return this.kill()
  }

  private told(event: MemberEvent): void {
    const { ledger, name, courses } = this
    if (event.kind === 'joined') this.onJoined()
    else if (event.kind === 'given') ledger.given(name, event.topic, event.partition)
    else if (event.kind === 'committed') ledger.committed({ ...event.commit, memberId: name })
    else {
      const key = `${logOf(event.record)}@${event.record.offset}`
      if (event.kind === 'begun') courses.set(key, ledger.begun(name, event.record))
      else {
        courses.get(key)?.done()
        courses.delete(key)
      }
    }
  }
}

function isMemberEvent(value: unknown): value is MemberEvent {
  return typeof value === 'object' && value !== null && 'kind' in value
}
