const LF = 0x0a
const LONGEST_LINE = 64 * 1024

/** Where a value that is not inside another ends, and its RESP type character. */
export interface Frame {
  /** Position after its last byte, in the chunk that was scanned. */
  end: number
  type: string
}

/**
 * Finds the ends of the top-level values in a stream of RESP 2 or 3, whatever the chunks are. It keeps no content. Of a
 * stream that is something else (replication after its handshake, TLS) it finds nothing more.
 */
export class RespScanner {
  /** Of each open aggregate: its type and how many values are still missing. */
  readonly #open: { type: string; missing: number }[] = []
  #line = ''
  #skip = 0
  #skipped = ''
  #opaque = false

  scan(chunk: Buffer): Frame[] {
    const frames: Frame[] = []
    for (let at = 0; at < chunk.length && !this.#opaque;) {
      if (this.#skip > 0) {
        const taken = Math.min(this.#skip, chunk.length - at)
        this.#skip -= taken
        at += taken
        if (this.#skip === 0) this.#valueEnds(this.#skipped, at, frames)
        continue
      }
      const lineEnd = chunk.indexOf(LF, at)
      this.#line += chunk.toString('latin1', at, lineEnd < 0 ? chunk.length : lineEnd + 1)
      if (lineEnd < 0) {
        this.#opaque = this.#line.length > LONGEST_LINE
        break
      }
      at = lineEnd + 1
      const line = this.#line.trimEnd()
      this.#line = ''
      this.#startValue(line, at, frames)
    }
    return frames
  }

  #startValue(line: string, at: number, frames: Frame[]): void {
    const type = line.charAt(0)
    const count = Number(line.slice(1))
    if ('$=!'.includes(type) && count >= 0) {
      this.#skip = count + 2
      this.#skipped = type
    } else if ('*~>%|'.includes(type) && count > 0) {
      this.#open.push({ type, missing: '%|'.includes(type) ? count * 2 : count })
    } else if ('$=!*~>%|'.includes(type) ? Number.isInteger(count) : '+-:_,#('.includes(type)) {
      this.#valueEnds(type, at, frames)
    } else this.#opaque = true
  }

  #valueEnds(type: string, end: number, frames: Frame[]): void {
    // an attribute is said about the value that follows, and is none itself
    for (let ended = type; ended !== '|';) {
      const around = this.#open.at(-1)
      if (around === undefined) {
        frames.push({ end, type: ended })
        return
      }
      if (--around.missing > 0) return
      this.#open.pop()
      ended = around.type
    }
  }
}
