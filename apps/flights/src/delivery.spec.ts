import { describe, expect, it } from '@jest/globals'
import { Delivery } from './delivery.js'
import { type Flight, toRecord } from './flight.js'
import { Ledger } from './ledger.js'

const flight: Flight = { departure: 978_307_260_000, delay: 33, distance: 2176, origin: 'LAS', destination: 'PHL' }

/** Flights of two airports, as they are sent. */
function send(): { sent: Ledger; messages: { key: Buffer; value: Buffer; offset: string }[] } {
  const sent = new Ledger()
  const messages = ['LAS', 'ORD', 'LAS', 'ORD', 'LAS'].map((origin, delay) => {
    const value = Buffer.from(JSON.stringify(toRecord({ ...flight, origin, delay }, sent.next(origin))))
    sent.add(origin, value)
    return { key: Buffer.from(origin), value, offset: String(delay) }
  })
  return { sent, messages }
}

function faultsOf(sent: Ledger, messages: readonly { key: Buffer; value: Buffer; offset: string }[]): string[] {
  const delivery = new Delivery()
  for (const message of messages) delivery.take(message, 7)
  return delivery.faults(sent)
}

describe('Delivery', () => {
  it('is without fault when every record came once, in the order of its key', () => {
    const { sent, messages } = send()
    expect(faultsOf(sent, messages)).toEqual([])
    // the order between keys is free
    expect(
      faultsOf(
        sent,
        messages.toSorted((a, b) => a.key.compare(b.key)),
      ),
    ).toEqual([])
  })

  it('takes part in the statistics', () => {
    const { messages } = send()
    const delivery = new Delivery()
    for (const message of messages) delivery.take(message, 0)
    expect(delivery.statistics.worst(1, 1)).toMatchObject([{ airport: 'LAS', flights: 3, meanFrom: 2 }])
  })

  it('finds a record that is missing, in the middle and at the end', () => {
    const { sent, messages } = send()
    expect(faultsOf(sent, messages.toSpliced(2, 1))).toEqual([
      'partition 7, offset 4: flight 2 of LAS came where 1 was expected',
      'LAS: 3 were sent, 2 came back',
    ])
    expect(faultsOf(sent, messages.slice(0, -1))).toEqual(['LAS: 3 were sent, 2 came back'])
  })

  it('finds a record that came twice', () => {
    const { sent, messages } = send()
    expect(faultsOf(sent, [...messages, ...messages.slice(-1)])).toEqual([
      'partition 7, offset 4: flight 2 of LAS came where 3 was expected',
      'LAS: 3 were sent, 4 came back',
    ])
  })

  it('finds records that changed places', () => {
    const { sent, messages } = send()
    const [first, second, third, ...rest] = messages
    if (first === undefined || second === undefined || third === undefined) throw new Error('too few')
    expect(faultsOf(sent, [third, second, first, ...rest])).toEqual([
      'partition 7, offset 2: flight 1 of LAS came where 0 was expected',
      'partition 7, offset 0: flight 0 of LAS came where 1 was expected',
      'LAS: what came back is not what was sent',
    ])
  })

  it('finds a record that was changed on the way, and one under another key', () => {
    const { sent, messages } = send()
    const changed = messages.map((message) => ({ ...message, value: Buffer.from(message.value) }))
    changed[0]?.value.write('9', changed[0].value.indexOf('"delay":0') + '"delay":'.length)
    expect(faultsOf(sent, changed)).toEqual(['LAS: what came back is not what was sent'])
    const moved = messages.map((message, i) => (i === 4 ? { ...message, key: Buffer.from('SFO') } : message))
    expect(faultsOf(sent, moved)).toEqual([
      'partition 7, offset 4: a flight from LAS has the key SFO',
      'LAS: 3 were sent, 2 came back',
      'SFO: 0 were sent, 1 came back',
    ])
  })

  it('finds what is no flight at all, and tells the first few faults only', () => {
    const { sent } = send()
    const delivery = new Delivery()
    delivery.take({ key: null, value: null, offset: '0' }, 0)
    for (const value of ['{', '[]', '{"seq":1}', 'null', '1', '2'])
      delivery.take({ key: Buffer.from('LAS'), value: Buffer.from(value), offset: '1' }, 0)
    const faults = delivery.faults(sent)
    expect(faults[0]).toBe('partition 0, offset 0: a record without key or value')
    expect(faults.slice(2, 4)).toEqual([
      'partition 0, offset 1: [] is no flight',
      'partition 0, offset 1: {"seq":1} is no flight',
    ])
    expect(faults.slice(5)).toEqual(['and 2 more', 'LAS: 3 were sent, 6 came back', 'ORD: 2 were sent, 0 came back'])
  })
})
