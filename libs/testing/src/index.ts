export { recordBatch, type RecordBatchOptions } from './builders/record-batch.js'
export { dropNamespace, TestStorage } from './builders/test-storage.js'
export * from './topologies/index.js'
