// The hashes of the WAL and of block ids: XXH64 against damage, SHA-1 for ids that derive from names (RFC 9562 §5.5).

import { createSHA1, createXXHash64 } from "hash-wasm";

const [xxh64, sha1] = await Promise.all([createXXHash64(), createSHA1()]);

export const xxh64Bytes = 8;

/** XXH64 of the parts as one message; 8 bytes, big-endian. */
export function xxh64Of(...parts: Uint8Array[]): Uint8Array {
  xxh64.init();
  for (const part of parts) xxh64.update(part);
  return xxh64.digest("binary");
}

/** UUID version 5 of a name. */
export function uuidV5(namespace: Uint8Array, name: string): string {
  sha1.init();
  sha1.update(namespace);
  sha1.update(name);
  const bytes = sha1.digest("binary").subarray(0, 16);
  bytes[6] = (bytes[6]! & 0x0f) | 0x50;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return printUuid(bytes);
}

export function printUuid(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset, 16).toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** The 16 bytes of a UUID's usual form. */
export function parseUuid(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text.replaceAll("-", ""), "hex"));
}
