import { type Codecs, CompressionType } from './compression-type.js'
import { gzip } from './gzip.js'
import { lz4 } from './lz4.js'
import { snappy } from './snappy.js'
import { zstd } from './zstd.js'

/** Kafka's four codecs. The packages behind Snappy, LZ4 and ZSTD are loaded when they are first used. */
export const codecs: Codecs = {
  [CompressionType.Gzip]: gzip,
  [CompressionType.Snappy]: snappy,
  [CompressionType.LZ4]: lz4,
  [CompressionType.ZSTD]: zstd,
}
