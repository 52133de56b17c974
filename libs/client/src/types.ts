// The public types: kafkajs's shape, so that a program written for it compiles. What only Rivulet has is marked
// "Rivulet only".
export * from './types/common.js'
export * from './types/config.js'
export * from './types/events.js'
export * from './types/producer.js'
export * from './types/consumer.js'
export * from './types/admin.js'
