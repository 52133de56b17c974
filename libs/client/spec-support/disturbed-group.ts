import type { ConsumerConfig } from '../src/types.js'
import { TestNamespace } from './consumers.js'
import { DisturbedMember } from './disturbed-member.js'
import { onStoredCommit } from './group-ledger.js'
import { GROUP, RecordedGroup, type RecordedGroupOptions } from './recorded-group.js'

export interface DisturbedGroupOptions extends RecordedGroupOptions {
  readonly member: Partial<ConsumerConfig>
}

/** A group whose members are all in this process. */
export class DisturbedGroup extends RecordedGroup<DisturbedMember> {
  private named = 0

  private constructor(
    namespace: TestNamespace,
    protected override readonly options: DisturbedGroupOptions,
  ) {
    super(namespace, options)
    onStoredCommit((commit) => this.ledger.committed(commit))
  }

  static async open(options: DisturbedGroupOptions): Promise<DisturbedGroup> {
    return new DisturbedGroup(await TestNamespace.open({ urls: [options.url], requestTimeout: 2000 }), options)
  }

  async join(topics: readonly (string | RegExp)[], config: Partial<ConsumerConfig> = {}): Promise<DisturbedMember> {
    const { namespace, ledger } = this
    const { url: serverUrl, random, member } = this.options
    const name = `m${this.named++}${config.groupInstanceId === undefined ? '' : `(${config.groupInstanceId})`}`
    this.happens(`${name} joins`)
    const joined = await DisturbedMember.start({
      ...{ name, namespace, serverUrl, ledger, random, topics },
      config: { groupId: GROUP, ...member, ...config },
    })
    this.members.push(joined)
    return joined
  }

  async leave(member: DisturbedMember): Promise<void> {
    this.happens(`${member.name} leaves`)
    this.members.splice(this.members.indexOf(member), 1)
    await member.leave()
  }
}
