const WORD_BYTES = 8;
const BLOCK_BYTES = 32 * 1024;
const block = new Uint8Array(BLOCK_BYTES + WORD_BYTES);

/**
 * Copies bytes into shared memory. Engines copy there word by word if source and destination are
 * aligned alike, else byte by byte, several times slower; and samples in a stream hardly ever are.
 * So they are aligned on the way, in a block that stays in the cache.
 */
export function copyIntoShared(from: Uint8Array, into: Uint8Array): void {
  if ((from.byteOffset - into.byteOffset) % WORD_BYTES === 0) {
    into.set(from);
    return;
  }
  const offset = into.byteOffset % WORD_BYTES;
  for (let at = 0; at < from.length; at += BLOCK_BYTES) {
    const piece = from.subarray(at, at + BLOCK_BYTES);
    block.set(piece, offset);
    into.set(block.subarray(offset, offset + piece.length), at);
  }
}
