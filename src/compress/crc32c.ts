// CRC-32C (Castagnoli): the checksum of Snappy's frames and of Google's object storage.
import type { IHasher } from "hash-wasm";

/** Reflected. */
const polynomial = 0x82f63b78;

/** A hasher of its own for each stream; what it is made of is loaded with the first one. */
export async function createCrc32c(): Promise<IHasher> {
  const { createCRC32 } = await import("hash-wasm");
  return createCRC32(polynomial);
}
