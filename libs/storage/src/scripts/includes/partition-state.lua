-- A partition's state, one string, big-endian: its first 104 bytes (libs/storage/src/log/partition-state.ts draws it).
local STATE, STATE_FORMAT = '>BBBBi4c8i8i8i8i8i8i8i8i8i8i8i8', 1
