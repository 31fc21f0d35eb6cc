// One way to decompress, whatever the codec.
import { CompressError } from "./compress_error.ts";
import { gzipDecompress } from "./gzip.ts";
import { snappyDecompress } from "./snappy.ts";
import { zstdDecompress } from "./zstd.ts";

/** Codecs, numbered as in parquet.thrift. */
export const Codec = { none: 0, snappy: 1, gzip: 2, zstd: 6 } as const;

/**
 * Decompresses to exactly `length` bytes.
 *
 * @param codec one of Codec
 * @throws CompressError if the codec is unknown, or the bytes are damaged or hold another number of bytes
 */
export function decompress(codec: number, bytes: Uint8Array, length: number): Uint8Array {
  switch (codec) {
    case Codec.none:
      if (bytes.length !== length) {
        throw new CompressError(`uncompressed data: ${bytes.length} bytes where ${length} are expected`);
      }
      return bytes;
    case Codec.snappy: {
      const content = snappyDecompress(bytes, length);
      if (content.length !== length) {
        throw new CompressError(`snappy: ${content.length} bytes where ${length} are expected`);
      }
      return content;
    }
    case Codec.gzip:
      return gzipDecompress(bytes, length);
    case Codec.zstd:
      return zstdDecompress(bytes, length);
    default:
      throw new CompressError(`compression codec ${codec} is not supported`);
  }
}
