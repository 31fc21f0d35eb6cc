// Zstandard, decompression: by the runtime, or by zstd-codec where the runtime has none.
import * as zlib from "node:zlib";
import { CompressError } from "./compress_error.ts";

/** Decompresses one or more zstd frames to exactly `length` bytes, or throws. */
type Decompress = (bytes: Uint8Array, length: number) => Uint8Array;

/** Bun's own call costs 2 µs beside 8 µs of node:zlib's, which is most of a small page. */
const viaBun: Decompress = (bytes) => Bun.zstdDecompressSync(bytes as Uint8Array<ArrayBuffer>);

const viaNode: Decompress = (bytes, length) =>
  zlib.zstdDecompressSync(bytes, { maxOutputLength: Math.max(1, length) });

/** zstd-codec copies in and out of a memory of its own and fails on inputs over a few MB: pages are smaller. */
export async function loadZstdCodec(): Promise<Decompress> {
  const { ZstdCodec } = (await import("zstd-codec")).default;
  // The streaming interface, since the simple one refuses frames that do not declare their content size.
  const streaming = await new Promise<{ decompress(bytes: Uint8Array, sizeHint: number): Uint8Array | null }>(
    (resolve) => ZstdCodec.run((zstd) => resolve(new zstd.Streaming())),
  );
  return (bytes, length) => {
    const content = streaming.decompress(bytes, length);
    if (!content) throw new Error("zstd-codec gave nothing");
    return content;
  };
}

const native = typeof Bun !== "undefined" ? viaBun : "zstdDecompressSync" in zlib ? viaNode : null;

let decompress: Decompress = native ?? (await loadZstdCodec());

/** Replaces the implementation, for tests of the fallback. Returns the one before. */
export function useZstd(implementation: Decompress): Decompress {
  const before = decompress;
  decompress = implementation;
  return before;
}

const magic = 0xfd2fb528;

/** Content size that the header of a zstd frame declares, or -1 if it declares none. */
export function zstdContentSize(frame: Uint8Array): number {
  if (frame.length < 6) return -1;
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
  if (view.getUint32(0, true) !== magic) return -1;
  const descriptor = frame[4]!;
  const single = (descriptor & 0x20) !== 0;
  const position = 5 + (single ? 0 : 1) + [0, 1, 2, 4][descriptor & 3]!;
  const sizeBytes = [single ? 1 : 0, 2, 4, 8][descriptor >>> 6]!;
  if (sizeBytes === 0 || position + sizeBytes > frame.length) return -1;
  if (sizeBytes === 1) return frame[position]!;
  if (sizeBytes === 2) return view.getUint16(position, true) + 256;
  if (sizeBytes === 4) return view.getUint32(position, true);
  return Number(view.getBigUint64(position, true));
}

/**
 * Decompresses zstd.
 *
 * @param length bytes that must come out
 * @throws CompressError if the bytes are damaged or hold another number of bytes
 */
export function zstdDecompress(bytes: Uint8Array, length: number): Uint8Array {
  const declared = zstdContentSize(bytes);
  // Checked first: a damaged header must not make the runtime allocate what it claims.
  if (declared > length)
    throw new CompressError(`zstd: frame of ${declared} bytes where ${length} are expected`);
  // zstd-codec takes a frame without content for damage.
  if (declared === 0 && length === 0) return new Uint8Array(0);
  let content: Uint8Array;
  try {
    content = decompress(bytes, length);
  } catch (cause) {
    throw new CompressError("zstd: damaged data", { cause });
  }
  if (content.length !== length) {
    throw new CompressError(`zstd: ${content.length} bytes where ${length} are expected`);
  }
  return content;
}
