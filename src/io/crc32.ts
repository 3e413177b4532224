/** CRC-32 as zip uses it (polynomial 0xEDB88320, reflected), in pieces if need be. */

const POLYNOMIAL = 0xedb88320;

// Constant table, not state: entry i is the remainder of byte i.
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte;
  for (let bit = 0; bit < 8; bit++)
    remainder = (remainder & 1) === 1 ? (remainder >>> 1) ^ POLYNOMIAL : remainder >>> 1;
  return remainder;
});

/** Checksum of the bytes; `previous` is the checksum of what came before them. */
export function crc32(bytes: Uint8Array, previous = 0): number {
  let crc = ~previous;
  for (const byte of bytes) crc = (TABLE[(crc ^ byte) & 255] ?? 0) ^ (crc >>> 8);
  return ~crc >>> 0;
}
