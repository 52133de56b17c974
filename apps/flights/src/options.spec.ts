import { describe, expect, it } from '@jest/globals'
import { parseOptions, UsageError } from './options.js'

describe('parseOptions', () => {
  it('asks for 300,000 flights when nothing is said', () => {
    expect(parseOptions([])).toEqual({ records: 300_000, namespace: 'flights-demo', help: false })
  })

  it('takes a number of flights, all of them, a namespace and a call for help', () => {
    expect(parseOptions(['--records', '1'])).toMatchObject({ records: 1 })
    expect(parseOptions(['--records=3000000'])).toMatchObject({ records: 3_000_000 })
    expect(parseOptions(['--all'])).toMatchObject({ records: 3_000_000 })
    expect(parseOptions(['--namespace', 'mine'])).toMatchObject({ namespace: 'mine' })
    expect(parseOptions(['-h'])).toMatchObject({ help: true })
  })

  it.each([
    [['--records', '0'], '--records 0'],
    [['--records', '3000001'], '--records 3000001'],
    [['--records', '1e3'], '--records 1e3'],
    [['--records', '2.5'], '--records 2.5'],
    [['--records'], '--records'],
    [['--records', '-5'], '--records'],
    [['--all', '--records', '5'], '--records 5'],
    [['--all=yes'], '--all'],
    [['--recrods', '5'], '--recrods'],
    [['300'], '300'],
    [['--namespace', ''], '--namespace'],
  ])('refuses %j, naming it', (args, named) => {
    expect(() => parseOptions(args)).toThrow(UsageError)
    expect(() => parseOptions(args)).toThrow(named)
  })
})
