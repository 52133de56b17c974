import { describe, expect, it } from '@jest/globals'
import { Progress, progressLine } from './progress.js'

function output(isTTY: boolean): { isTTY: boolean; written: string; write(text: string): void } {
  return {
    isTTY,
    written: '',
    write(text) {
      this.written += text
    },
  }
}

describe('progressLine', () => {
  it('shows the part that is done as a bar and in figures', () => {
    const line = progressLine({ label: 'Produce', done: 150_000, total: 300_000, elapsed: 400 }, true)
    expect(line).toBe(`Produce  ${'█'.repeat(15)}${'░'.repeat(15)}   50 %  150,000 flights    375,000/s    0.4 s`)
  })

  it('is equally long from beginning to end, within 100 columns', () => {
    const lengths = [0, 1, 999, 2_999_999, 3_000_000].map(
      (done) => progressLine({ label: 'Consume', done, total: 3_000_000, elapsed: done / 600 }, true).length,
    )
    expect(new Set(lengths).size).toBe(1)
    expect(lengths[0]).toBeLessThanOrEqual(100)
  })

  it('says 100 % only when all is done, and does not go beyond', () => {
    const percent = (done: number) => progressLine({ label: '', done, total: 1000, elapsed: 1 }, false)
    expect(percent(999)).toContain(' 99 %')
    expect(percent(1000)).toContain('100 %')
    expect(percent(1001)).toContain('100 %')
  })
})

describe('Progress', () => {
  it('writes one line at the end of what was quick, where there is no terminal', () => {
    const out = output(false)
    const progress = new Progress('Produce', 3, out)
    for (let i = 0; i < 3; i++) progress.add(1)
    progress.end()
    expect(out.written).toMatch(/^Produce +100 % +3 flights .*\n$/)
  })

  it('draws over its bar in a terminal, from the beginning on', () => {
    const out = output(true)
    const progress = new Progress('Produce', 3, out)
    progress.add(3)
    progress.end()
    expect(out.written).toMatch(/^Produce .* 0 % .*\rProduce .* 100 % .*\n$/)
  })
})
