export * from './exports.js'
// kafkajs is CommonJS: programs import it as a whole, too, and what compilers make of that import asks a required module
// for its default export.
export * as default from './exports.js'
