// Copies of short byte strings, of which a block has millions.

/** Bytes that copyBytes() may write behind its target. */
export const COPY_SLACK: u32 = 16;
/** From here on a bulk copy is faster than a loop. */
const BULK_MIN: u32 = 256;

/** Copies bytes that do not overlap, 16 at a time. */
export function copyBytes(to: usize, from: usize, length: u32): void {
  // The last step reads past the source, which must not be past the memory.
  if (length >= BULK_MIN || from + length + 16 > (<usize>memory.size()) << 16) {
    memory.copy(to, from, length);
    return;
  }
  for (let i: u32 = 0; i < length; i += 16) v128.store(to + i, v128.load(from + i));
}
