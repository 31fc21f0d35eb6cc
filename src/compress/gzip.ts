// gzip, decompression by the runtime.
import { gunzipSync } from "node:zlib";
import { CompressError } from "./compress_error.ts";

/**
 * Decompresses gzip.
 *
 * @param length bytes that must come out
 * @throws CompressError if the bytes are damaged or hold another number of bytes
 */
export function gzipDecompress(bytes: Uint8Array, length: number): Uint8Array {
  let content: Uint8Array;
  try {
    content = gunzipSync(bytes, { maxOutputLength: Math.max(1, length) });
  } catch (cause) {
    throw new CompressError("gzip: damaged data", { cause });
  }
  if (content.length !== length) {
    throw new CompressError(`gzip: ${content.length} bytes where ${length} are expected`);
  }
  return content;
}
