/** How many hash slots a cluster has (Redis Cluster specification, "Key distribution model"). */
export const SLOTS = 16_384;

/** @returns the hash slot of all keys with `{tag}` in them: CRC16 with the polynomial 0x1021 (XMODEM) of the tag's bytes */
export function hashSlot(tag: string): number {
  let crc = 0;
  for (const byte of Buffer.from(tag)) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
  }
  return (crc & 0xffff) % SLOTS;
}
