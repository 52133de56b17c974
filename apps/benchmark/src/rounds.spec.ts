import { describe, expect, it } from '@jest/globals'
import type { PeerName } from './peers/settings.js'
import { type Participant, runRounds } from './rounds.js'
import type { WorkDefinition } from './works/work.js'

const work: WorkDefinition = { number: 4, title: 'a work', peers: ['rivulet', 'kafkajs'], figures: [] }

function record(events: string[], name: PeerName): Participant {
  let rounds = 0
  let busy = false
  const during = async (event: string): Promise<void> => {
    expect(busy).toBe(false)
    busy = true
    events.push(`${name} ${event}`)
    await Promise.resolve()
    busy = false
  }
  return {
    name,
    open: (number) => during(`opens ${number}`),
    round: async ({ checking, profile }) => {
      await during(`${checking ? 'warms up' : 'round'}${profile ? ' profiled' : ''}`)
      return { rate: checking ? -1 : ++rounds }
    },
    close: (file) => during(`closes ${file}`),
  }
}

async function run(definition: WorkDefinition, rounds: number) {
  const events: string[] = []
  const settle = async (): Promise<void> => {
    events.push('settled')
  }
  const options = { rounds, seconds: 1, profileFile: 'file', settle, progress: () => {} }
  const results = await runRounds(definition, [record(events, 'rivulet'), record(events, 'kafkajs')], options)
  return { events, results }
}

describe('rounds', () => {
  it('let all warm up, then take turns, the server at rest in between', async () => {
    const { events } = await run(work, 2)
    expect(events).toEqual([
      ...['rivulet opens 4', 'rivulet warms up', 'settled', 'kafkajs opens 4', 'kafkajs warms up', 'settled'],
      ...['rivulet round', 'settled', 'kafkajs round', 'settled'],
      ...['rivulet round profiled', 'settled', 'kafkajs round', 'settled'],
      ...['rivulet closes file', 'settled', 'kafkajs closes null', 'settled'],
    ])
  })

  it('give the figures in the order of the rounds, without the warm-up', async () => {
    const { results } = await run(work, 3)
    expect(results.get('kafkajs')).toEqual([{ rate: 1 }, { rate: 2 }, { rate: 3 }])
  })

  it('are one where every round gives the same', async () => {
    const { results, events } = await run({ ...work, deterministic: true }, 3)
    expect(results.get('rivulet')).toEqual([{ rate: 1 }])
    expect(events).not.toContain('rivulet warms up')
  })
})
