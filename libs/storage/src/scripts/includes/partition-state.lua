-- A partition's state, one string of 96 bytes, big-endian (libs/storage/src/log/partition-state.ts draws it).
local STATE, STATE_FORMAT = '>BBBBi4c8i8i8i8i8i8i8i8i8i8i8', 1
